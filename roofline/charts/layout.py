"""Where labels go that would lie on one another."""


def spread_out(wanted: list[float], apart: float) -> list[float]:
    """Moves positions (pixels) as little as it can until no two are nearer than `apart`."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[tuple[float, list[int]]] = []  # centre, members in order
    for i in order:
        groups.append((wanted[i], [i]))
        while len(groups) > 1:
            (above, some), (below, more) = groups[-2:]
            if below - above >= apart * (len(some) + len(more)) / 2:
                break
            both = some + more
            groups[-2:] = [(sum(wanted[j] for j in both) / len(both), both)]
    placed = list(wanted)
    for centre, members in groups:
        for k, i in enumerate(members):
            placed[i] = centre + apart * (k - (len(members) - 1) / 2)
    return placed
