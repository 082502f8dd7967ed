"""What access that is not in order costs: strides, and gathers and scatters of granules."""
import altair as alt

from . import marks, theme, units
from .ceilings import Ceilings, Sweep
from .frame import Axis, Frame, bytes_axis, count_axis, log_axis

NAME = "access"
NEEDS = "sweep `stride.read`, `gather.read` or `scatter.write`"
READ = ("Memory moves whole lines. Only the bytes that were asked for count here, so reading every "
        "n-th element falls along the dotted line (1/n) until each line has one useful element "
        "left; granules at random places reach full bandwidth once they span whole lines.")


def draw(c: Ceilings, _table: object = None) -> alt.HConcatChart | None:
    stride = c.sweep("stride.read")
    granules = {name: s for name, key in (("gather (reads)", "gather.read"),
                                          ("scatter (writes)", "scatter.write"))
                if (s := c.sweep(key)) and s.points}
    panels = []
    if stride and stride.points:
        panels.append(_stride(stride))
    if granules:
        panels.append(_granules(granules))
    if not panels:
        return None
    return alt.hconcat(*panels, spacing=34).resolve_scale(
        color="independent", shape="independent").properties(
        title=marks.title("Useful bandwidth needs whole lines", f"{c.device}: {_subtitle(stride)}"))


def _subtitle(stride: Sweep | None) -> str:
    if not stride or len(stride.points) < 2:
        return "bytes that were asked for, per second"
    (_, first), (x, last) = stride.points[0], stride.points[-1]
    return (f"{units.bytes_per_second(first)} of useful bytes in order, "
            f"{units.bytes_per_second(last)} of one element in {units.number(x)}")


def _rate_axis(rates: list[float]) -> tuple[Axis, float]:
    factor, prefix = units.prefix(max(rates))
    return log_axis(f"Useful bandwidth ({prefix}B/s)", [r / factor for r in rates]), factor


def _stride(s: Sweep) -> alt.LayerChart:
    y_axis, factor = _rate_axis([y for _, y in s.points])
    frame = Frame(count_axis("Stride (elements)", (x for x, _ in s.points)), y_axis,
                  theme.PANEL_WIDTH, theme.PANEL_HEIGHT)
    x0, y0 = s.points[0]
    guide = [(x, y0 * x0 / x / factor) for x, _ in s.points if x > 0]
    guide = [(x, y) for x, y in guide if y >= frame.y.low]
    layers: list[alt.Chart] = []
    if len(guide) > 1:
        layers.append(alt.Chart(marks.data({"x": x, "y": y} for x, y in guide)).mark_line(
            strokeDash=[2, 3], color=theme.RULE, strokeWidth=1.6).encode(**frame.encode()))
        x, y = guide[len(guide) // 2]
        layers.append(marks.note(x, y, "1 / stride", frame, theme.QUIET, align="right", dx=-10,
                                 dy=6))
    points = marks.rows(s, "reads", factor, "stride", lambda v: f"{units.number(v)} elements",
                        "useful bandwidth", units.bytes_per_second)
    layers += marks.series_layer(points, frame, ["reads"], ["stride", "useful bandwidth"])
    return marks.panel(layers, frame, "Every n-th element")


def _granules(curves: dict[str, Sweep]) -> alt.LayerChart:
    y_axis, factor = _rate_axis([y for s in curves.values() for _, y in s.points])
    frame = Frame(bytes_axis("Granule at a random place (bytes)",
                             (x for s in curves.values() for x, _ in s.points)), y_axis,
                  theme.PANEL_WIDTH, theme.PANEL_HEIGHT)
    points = [row for name, s in curves.items()
              for row in marks.rows(s, name, factor, "granule", units.size, "useful bandwidth",
                                    units.bytes_per_second)]
    layers = marks.series_layer(points, frame, ["gather (reads)", "scatter (writes)"],
                                ["granule", "useful bandwidth"])
    return marks.panel(layers, frame, "Gather and scatter")
