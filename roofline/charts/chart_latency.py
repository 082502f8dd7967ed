"""The latency of one load after another against the span that they fall into."""
import altair as alt

from . import marks, units
from .ceilings import LEVELS, Ceilings, Sweep, level_title
from .frame import Frame, bytes_axis, log_axis

NAME = "latency"
NEEDS = "sweep `latency` or `tlb`"
READ = ("Each load needs the result of the one before, so nothing hides its time. Each stair is a "
        "level of memory. Loads a page apart also need a translation each: where their curve leaves "
        "the other, the translation buffer (TLB) no longer reaches.")
_LOADS, _PAGES = "a load in every line", "a load in every page"


def draw(c: Ceilings, _table: object = None) -> alt.LayerChart | None:
    curves = {name: s for name, key in ((_LOADS, "latency"), (_PAGES, "tlb"))
              if (s := c.sweep(key)) and s.points}
    if not curves:
        return None
    times = [y for s in curves.values() for _, y in s.points]
    frame = Frame(bytes_axis("Span of the loads (bytes)",
                             (x for s in curves.values() for x, _ in s.points)),
                  log_axis("Time of one load (ns)", (t / 1e-9 for t in times), 1.4))
    points = [row for name, s in curves.items()
              for row in marks.rows(s, name, 1e-9, "span", units.size, "time of a load",
                                    units.seconds)]
    layers = [*marks.vertical_rules(_edges(c), frame),
              *marks.series_layer(points, frame, [_LOADS, _PAGES], ["span", "time of a load"])]
    layers += _plateaus(c, curves.get(_LOADS), frame)
    return marks.panel(layers, frame, marks.title(_heading(c, curves), c.device))


def _edges(c: Ceilings) -> list[tuple[float, str]]:
    """Capacities that one chain of loads can use: of a level that units have parts of, one part."""
    usable = {lv.name: lv.bytes / c.units if lv.per_unit else lv.bytes for lv in c.levels
              if c.units or not lv.per_unit}
    return [(b, f"{level_title(n)} {units.size(b)}") for n, b in usable.items()]


def _plateaus(c: Ceilings, s: Sweep | None, frame: Frame) -> list[alt.Chart]:
    """Names above the stairs, where the curve is within a tenth of a level's latency."""
    labels = []
    for name in LEVELS:
        seconds = c.value(f"latency.{name}")
        on = [x for x, y in s.points if seconds and abs(y / seconds - 1) < 0.1] if s else []
        if seconds and on:
            labels.append(marks.note(on[len(on) // 2], seconds / 1e-9,
                                     f"{level_title(name)} {units.seconds(seconds)}", frame,
                                     dy=-12, baseline="bottom", fontWeight="bold"))
    return labels


def _heading(c: Ceilings, curves: dict[str, Sweep]) -> str:
    found = [(level_title(n), v) for n in LEVELS if (v := c.value(f"latency.{n}"))]
    if found:
        return "One load takes " + ", ".join(f"{units.seconds(v)} from {n}" for n, v in found)
    points = next(iter(curves.values())).points
    return f"One load takes {units.seconds(points[0][1])} to {units.seconds(points[-1][1])}"
