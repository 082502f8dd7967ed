"""The time of a matrix product against one of its dims: steps of whole tiles and waves."""
import altair as alt

from . import marks, theme, units
from .ceilings import Ceilings, Staircase, Sweep
from .frame import Frame, linear_axis

NAME = "staircase"
NEEDS = "sweep `staircase.m` or `staircase.n`"
READ = ("A matrix product is cut into tiles, and tiles run in waves as wide as the machine. One row "
        "more than a whole tile costs a tile more, one tile more than a whole wave costs a wave "
        "more. Dims just below a rule are well used, just above it badly.")
_MOST_RULES = 40


def draw(c: Ceilings, _table: object = None) -> alt.VConcatChart | None:
    panels = [_panel(c, s, dim) for dim in ("m", "n", "k")
              if (s := c.sweep(f"staircase.{dim}")) and len(s.points) > 1]
    if not panels:
        return None
    return alt.vconcat(*panels, spacing=24).resolve_scale(
        color="independent", shape="independent").properties(
        title=marks.title("Time climbs in whole tiles and whole waves", f"{c.device}: {_found(c)}"))


def _found(c: Ceilings) -> str:
    told = []
    for s in c.staircases:
        parts = [f"tile {units.number(s.tile)}"] if s.tile else []
        if s.wave:
            tiles = f" ({units.number(s.wave_tiles)} tiles)" if s.wave_tiles else ""
            parts.append(f"wave {units.number(s.wave)}{tiles}")
        told.append(f"{s.sweep.split('.')[-1]}: " + (", ".join(parts) or "no steps found"))
    return "; ".join(told) or "no steps recovered"


def _multiples(step: float, frame: Frame) -> list[float]:
    """All in the frame, or none where they would be a grey wall."""
    if step <= 0 or (frame.x.high - frame.x.low) / step > _MOST_RULES:
        return []
    first = int(frame.x.low // step) + 1
    return [step * i for i in range(first, int(frame.x.high // step) + 1)]


def _rules(at: list[float], frame: Frame, colour: str, width: float) -> list[alt.Chart]:
    if not at:
        return []
    return [alt.Chart(marks.data({"x": x} for x in at)).mark_rule(
        color=colour, strokeWidth=width, strokeDash=[4, 3]).encode(x=frame.encode()["x"])]


def _panel(c: Ceilings, s: Sweep, dim: str) -> alt.LayerChart:
    factor, prefix = units.prefix(max(y for _, y in s.points))
    frame = Frame(linear_axis(f"{dim} (elements)", 0, max(x for x, _ in s.points)),
                  linear_axis(f"Time of the product ({prefix}s)", 0,
                              max(y for _, y in s.points) / factor * 1.08), theme.WIDTH, 240)
    steps = next((st for st in c.staircases if st.sweep == s.key), Staircase(s.key, 0, 0, 0))
    layers = [*_rules(_multiples(steps.tile, frame), frame, "#bbbbbb", 1),
              *_rules(_multiples(steps.wave, frame), frame, theme.VERMILLION, 1.9)]
    points = marks.rows(s, dim, factor, dim, lambda v: f"{units.number(v)} elements", "time",
                        units.seconds)
    layers += marks.series_layer(points, frame, [dim], [dim, "time"], size=16)
    return marks.panel(layers, frame, f"Against {dim}: {_legend(steps, frame)}")


def _legend(s: Staircase, frame: Frame) -> str:
    parts = []
    if _multiples(s.tile, frame):
        parts.append(f"a thin rule every {units.number(s.tile)} elements (a tile)")
    elif s.tile:
        parts.append(f"a tile is {units.number(s.tile)}")
    if _multiples(s.wave, frame):
        parts.append(f"a thick rule every {units.number(s.wave)} elements (a wave)")
    return ", ".join(parts) or "no steps found"
