"""Reads and writes mixed: what turning the memory bus costs, and how long turns amortise it."""
import altair as alt

from . import marks, theme, units
from .ceilings import Ceilings, Sweep
from .frame import Frame, bytes_axis, linear_axis

NAME = "mix"
NEEDS = "sweep `mix` or `burst`"
READ = ("A DRAM bus carries data one way at a time, and turning it costs idle cycles. The dashed "
        "line is what reads and writes would reach if turning were free (their times add up); the "
        "shaded gap below it is the turnaround. The longer one direction lasts, the smaller it is.")


def draw(c: Ceilings, _table: object = None) -> alt.HConcatChart | None:
    mix, burst = c.sweep("mix"), c.sweep("burst")
    highest = max((y for s in (mix, burst) if s for _, y in s.points), default=0.0)
    factor, prefix = units.prefix(highest)
    top = highest / factor * 1.12
    panels = []
    heading = "Turning the bus between reads and writes costs bandwidth"
    if mix and len({x for x, _ in mix.points}) > 1:
        panels.append(_mix(mix, factor, prefix, top))
        heading = _heading(mix)
    if burst and burst.points:
        panels.append(_burst(burst, factor, prefix, top))
    if not panels:
        return None
    return alt.hconcat(*panels, spacing=34).resolve_scale(
        color="independent", shape="independent").properties(title=marks.title(heading, c.device))


def _free(mix: Sweep) -> list[tuple[float, float]]:
    """Without turnaround: time per byte is linear in the share of reads, between the two ends."""
    (x0, y0), (x1, y1) = mix.points[0], mix.points[-1]
    return [(x, (x1 - x0) / ((x1 - x) / y0 + (x - x0) / y1)) for x, _ in mix.points]


def _worst(mix: Sweep) -> tuple[float, float]:
    """The largest loss, and at which share of reads."""
    losses = [(1 - y / f, x) for (x, y), (_, f) in zip(mix.points, _free(mix), strict=True)]
    return max(losses)


def _heading(mix: Sweep) -> str:
    loss, share = _worst(mix)
    if loss < 0.02:
        return "Mixing reads and writes costs next to nothing here"
    return (f"Turning the bus costs up to {100 * loss:.0f} % of bandwidth, "
            f"at {100 * share:.0f} % reads")


def _mix(mix: Sweep, factor: float, prefix: str, top: float) -> alt.LayerChart:
    free = _free(mix)
    frame = Frame(linear_axis("Share of reads (% of bytes)", 0, 100),
                  linear_axis(f"Bandwidth ({prefix}B/s, reads plus writes)", 0, top),
                  theme.PANEL_WIDTH, theme.PANEL_HEIGHT)
    rows = [{"x": 100 * x, "y": y / factor, "free": f / factor, "series": "measured",
             "share of reads": f"{100 * x:.0f} %", "bandwidth": units.bytes_per_second(y),
             "without turnaround": units.bytes_per_second(f), "lost": f"{100 * (1 - y / f):.0f} %"}
            for (x, y), (_, f) in zip(mix.points, free, strict=True)]
    base = alt.Chart(marks.data(rows)).encode(x=frame.encode()["x"])
    gap = base.mark_area(color=theme.SKY, opacity=0.25).encode(y=frame.encode()["y"], y2="free:Q")
    dashed = base.mark_line(strokeDash=[6, 4], color=theme.QUIET, strokeWidth=1.6).encode(
        y=frame.encode("x", "free")["y"])
    loss, share = _worst(mix)
    at = min(max(share, 0.15), 0.85)
    low = min(r["y"] for r in rows if abs(r["x"] / 100 - at) <= 0.2 or len(rows) < 6)
    layers = [gap, dashed, *marks.series_layer(rows, frame, ["measured"],
                                               ["share of reads", "bandwidth",
                                                "without turnaround", "lost"])]
    layers.append(marks.note(50, free[len(free) // 2][1] / factor, "if turning were free", frame,
                             theme.QUIET, dy=-12, baseline="bottom"))
    if loss >= 0.02:
        layers.append(marks.note(100 * at, low, f"−{100 * loss:.0f} %", frame, dy=14,
                                 baseline="top", fontWeight="bold"))
    return marks.panel(layers, frame, "Reads and writes mixed")


def _burst(burst: Sweep, factor: float, prefix: str, top: float) -> alt.LayerChart:
    frame = Frame(bytes_axis("Turn in one direction, all units together (bytes)",
                             (x for x, _ in burst.points)),
                  linear_axis(f"Bandwidth ({prefix}B/s, reads plus writes)", 0, top),
                  theme.PANEL_WIDTH, theme.PANEL_HEIGHT)
    points = marks.rows(burst, "bursts", factor, "turn", units.size, "bandwidth",
                        units.bytes_per_second)
    layers = marks.series_layer(points, frame, ["bursts"], ["turn", "bandwidth"],
                                [theme.VERMILLION])
    return marks.panel(layers, frame, "Longer turns: bytes per burst")
