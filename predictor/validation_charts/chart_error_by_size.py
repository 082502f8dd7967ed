"""How far predictions are off, against how long a call takes."""
import altair as alt
from charts import marks, theme
from charts.frame import Axis, Frame, log_axis

from .chart_agreement import points
from .rows import Tests, by_size, quantile

NAME = "error_by_size"
READ = ("Predicted over measured time, by how long a call takes. The line is the median; the "
        "darker band holds half of the calls, the lighter one 80 %. Points beyond the frame lie on "
        "its edge.")
WIDTH, HEIGHT = 680, 380
_FURTHEST = 4.0  # four times too slow or too fast
_TICKS = (0.25, 0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0, 4.0)
_LABEL = "(datum.value > 1.001 ? '+' : '') + format(datum.value - 1, '.0%')"


def draw(tests: Tests) -> alt.LayerChart:
    times = [r.measured_s / 1e-6 for r in tests.rows]
    frame = Frame(log_axis("Measured time (µs)", times),
                  Axis("Prediction off by (%)", 1 / _FURTHEST, _FURTHEST, 10, _LABEL, _TICKS),
                  WIDTH, HEIGHT)
    bands = _bands(tests)
    layers = [_points(tests, frame)]
    if len(bands) > 1:
        layers += [_band(bands, frame, "p10", "p90", 0.16), _band(bands, frame, "p25", "p75", 0.28)]
    layers += _rules(frame)
    if len(bands) > 1:
        layers.append(_median(bands, frame))
    return marks.panel(layers, frame, marks.title(
        f"Error by size: {tests.devices}", tests.told,
        "line: median; bands: half of the calls, and 80 %; dashed: 10 % off"))


def _inside(ratio: float) -> float:
    return min(max(ratio, 1 / _FURTHEST), _FURTHEST)


def _points(tests: Tests, frame: Frame) -> alt.Chart:
    chart = points(tests.shown, frame, "measured_us", "ratio")
    for row in chart.data.values:
        row["y"] = _inside(row["y"])
    return chart


def _bands(tests: Tests) -> list[marks.Row]:
    found = []
    for middle_s, rows in by_size(tests.rows):
        ratios = sorted(r.ratio for r in rows)
        found.append({"x": middle_s / 1e-6, "rows": f"{len(rows):,}",
                      **{f"p{round(100 * q)}": _inside(quantile(ratios, q))
                         for q in (0.1, 0.25, 0.5, 0.75, 0.9)}})
    return [{**f, "median": f"{f['p50'] - 1:+.1%}",
             "80 % within": f"{f['p10'] - 1:+.1%} to {f['p90'] - 1:+.1%}"} for f in found]


def _band(bands: list[marks.Row], frame: Frame, low: str, high: str, opacity: float) -> alt.Chart:
    return alt.Chart(marks.data(bands)).mark_area(color=theme.INK, opacity=opacity).encode(
        x=frame.encode()["x"], y=frame.encode(y=low)["y"], y2=f"{high}:Q")


def _median(bands: list[marks.Row], frame: Frame) -> alt.Chart:
    return alt.Chart(marks.data(bands)).mark_line(
        color=theme.INK, strokeWidth=2.2, point={"color": theme.INK, "size": 40}).encode(
            **frame.encode(y="p50"), tooltip=marks.tooltips("rows", "median", "80 % within"))


def _rules(frame: Frame) -> list[alt.Chart]:
    """Exact, and 10 % off."""
    return [alt.Chart(marks.data([{"y": y}])).mark_rule(
        color=theme.INK, strokeDash=dash, strokeWidth=1.1).encode(y=frame.encode()["y"])
        for y, dash in ((1.0, [1, 0]), (1.1, [5, 4]), (1 / 1.1, [5, 4]))]
