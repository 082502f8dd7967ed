"""How much parallel work a pipe needs: independent operations in a thread, times threads."""
import re

import altair as alt

from . import marks, theme, units
from .ceilings import Ceilings, Sweep
from .frame import Frame, count_axis, linear_axis

NAME = "parallelism"
NEEDS = "sweep `parallelism.<pipe>.threads_<n>`"
READ = ("An operation takes some cycles, and its unit can begin another each cycle: only "
        "independent work fills it, within a thread (ILP, to the right) or from more threads (TLP, "
        "the curves). Where a curve reaches the dashed ceiling, there is enough of both.")
_KEY = re.compile(r"parallelism\.(?P<pipe>.+)\.threads_(?P<threads>\d+)")


def draw(c: Ceilings, _table: object = None) -> alt.ConcatChart | None:
    pipes: dict[str, dict[int, Sweep]] = {}
    for s in c.sweeps_of("parallelism"):
        found = _KEY.fullmatch(s.key)
        if found and s.points:
            pipes.setdefault(found["pipe"], {})[int(found["threads"])] = s
    if not pipes:
        return None
    panels = [_panel(c, pipe, curves) for pipe, curves in sorted(pipes.items())]
    return alt.concat(*panels, columns=2, spacing=34).resolve_scale(
        color="independent", shape="independent").properties(
        title=marks.title("Independent work fills the pipes, from one thread or from many",
                          c.device))


def _panel(c: Ceilings, pipe: str, curves: dict[int, Sweep]) -> alt.LayerChart:
    rates = [y for s in curves.values() for _, y in s.points]
    ceiling = c.value(pipe)
    top = max([*rates, ceiling or 0])
    factor, prefix = units.prefix(top)
    frame = Frame(count_axis("Independent operations in a thread (ILP, count)",
                             (x for s in curves.values() for x, _ in s.points)),
                  linear_axis(f"Rate ({prefix}FLOP/s)", 0, top / factor * 1.14),
                  theme.PANEL_WIDTH, theme.PANEL_HEIGHT)
    names = {n: f"{n} thread{'s' if n > 1 else ''}" for n in sorted(curves)}
    points = [row for n, s in curves.items()
              for row in marks.rows(s, names[n], factor, "ILP", units.number, "rate",
                                    units.flops_per_second)]
    layers = marks.series_layer(points, frame, list(names.values()), ["ILP", "rate"],
                                theme.ordered(len(names)))
    if ceiling:
        layers += marks.horizontal_rule(ceiling / factor,
                                        f"ceiling {units.flops_per_second(ceiling)}", frame)
    return marks.panel(layers, frame, pipe.replace(".", " "))
