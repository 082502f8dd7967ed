"""Small copies: a fixed cost and a rate, and the size at which they weigh the same."""
import altair as alt

from . import marks, theme, units
from .ceilings import Ceilings
from .frame import Frame, bytes_axis, log_axis

NAME = "copy_size"
NEEDS = "sweep `copy_size`"
READ = ("A copy takes a fixed time however small it is, and then bytes over a rate: a + b·n. At the "
        "dashed size both are equal, and the copy reaches half of its bandwidth; below it, count "
        "launches rather than bytes.")


def fit(points: list[tuple[float, float]]) -> tuple[float, float] | None:
    """a, b of y = a + b·x by least squares of the relative errors; None where that is no fit."""
    weights = [(x, y, 1 / y**2) for x, y in points]
    w = sum(k for _, _, k in weights)
    wx, wy = sum(k * x for x, _, k in weights), sum(k * y for _, y, k in weights)
    wxx = sum(k * x * x for x, _, k in weights)
    wxy = sum(k * x * y for x, y, k in weights)
    determinant = w * wxx - wx * wx
    if len(points) < 3 or determinant <= 0:
        return None
    a, b = (wxx * wy - wx * wxy) / determinant, (w * wxy - wx * wy) / determinant
    return (a, b) if a > 0 and b > 0 else None


def draw(c: Ceilings, _table: object = None) -> alt.LayerChart | None:
    s = c.sweep("copy_size")
    points = [p for p in s.points if p[0] > 0] if s else []
    if not s or len(points) < 2:
        return None
    frame = Frame(bytes_axis("Copied (bytes)", (x for x, _ in points)),
                  log_axis("Time of a copy (µs)", (y / 1e-6 for _, y in points), 1.6))
    layers: list[alt.Chart] = []
    line = fit(points)
    heading = "Copies cost a fixed time, then bytes over a rate"
    if line:
        a, b = line
        heading = (f"A copy takes {units.seconds(a)} plus its bytes at "
                   f"{units.bytes_per_second(1 / b)}")
        ends = [frame.x.at(i / 80) for i in range(81)]
        layers.append(alt.Chart(marks.data({"x": x, "y": (a + b * x) / 1e-6} for x in ends))
                      .mark_line(color=theme.VERMILLION, strokeWidth=1.8, clip=True)
                      .encode(**frame.encode()))
        layers += marks.vertical_rules([(a / b, f"half of the rate at {units.size(a / b)}")],
                                       frame)
    rows = marks.rows(s, "copy", 1e-6, "bytes", units.size, "time", units.seconds)
    for row in rows:
        row["rate"] = units.bytes_per_second(row["x"] / (row["y"] * 1e-6))
    layers.append(alt.Chart(marks.data(rows)).mark_point(
        filled=True, size=46, color=theme.BLUE, opacity=1).encode(
            **frame.encode(), tooltip=marks.tooltips("bytes", "time", "rate")))
    return marks.panel(layers, frame, marks.title(heading, f"{c.device}: points measured, "
                                                  "line fitted"))
