"""Predicted against measured time: points on the diagonal are exact."""
import altair as alt
from charts import marks, operators, theme, units
from charts.frame import Frame, log_axis

from .rows import Row, Tests

NAME = "agreement"
READ = ("Each point is a measured call. On the diagonal the prediction is exact; between the "
        "dashed lines it is within 10 %. Above the diagonal, predictions are too slow.")
SIZE = 520


def draw(tests: Tests) -> alt.LayerChart:
    shown = tests.shown
    times = [t / 1e-6 for r in shown for t in (r.measured_s, r.predicted_s)]
    frame = Frame(log_axis("Measured time (µs)", times), log_axis("Predicted time (µs)", times),
                  SIZE, SIZE)
    drawn = f"; {len(shown):,} of the rows are drawn" if len(shown) < len(tests.rows) else ""
    heading = marks.title(f"Predicted and measured time: {tests.devices}", tests.told,
                          f"line: exact; dashed: 10 % off{drawn}")
    return marks.panel([points(shown, frame, "measured_us", "predicted_us"), *_lines(frame)], frame,
                       heading)


def points(shown: list[Row], frame: Frame, x: str, y: str) -> alt.Chart:
    """A mark for each row: its colour and its shape tell the operator."""
    names = operators.named({r.op for r in shown})
    entries = list(dict.fromkeys(names.values()))
    styles = [operators.style(e) for e in entries]
    legend = alt.Legend(title=None, columns=4, symbolOpacity=1)
    dense = len(shown) > 400
    found = [{"x": p[x], "y": p[y], "operator": names[r.op], **_facts(r)}
             for r in shown for p in [_place(r)]]
    return alt.Chart(marks.data(found)).mark_point(
        filled=True, size=16 if dense else 42, opacity=0.45 if dense else 0.85, clip=True).encode(
            **frame.encode(),
            color=alt.Color("operator:N", legend=legend, sort=entries, scale=alt.Scale(
                domain=entries, range=[s[0] for s in styles])),
            shape=alt.Shape("operator:N", legend=legend, sort=entries, scale=alt.Scale(
                domain=entries, range=[s[1] for s in styles])),
            tooltip=marks.tooltips("call", "shape", "measured", "predicted", "range", "error",
                                   "basis", "gpu"))


def _place(r: Row) -> dict[str, float]:
    return {"measured_us": float(f"{r.measured_s / 1e-6:.5g}"),
            "predicted_us": float(f"{r.predicted_s / 1e-6:.5g}"),
            "ratio": float(f"{r.ratio:.5g}")}


def _facts(r: Row) -> marks.Row:
    return {"call": f"{r.op} {r.dtype}", "shape": r.shape, "measured": units.seconds(r.measured_s),
            "predicted": units.seconds(r.predicted_s), "error": f"{r.ratio - 1:+.1%}",
            "range": f"{units.seconds(r.low_s)} to {units.seconds(r.high_s)}", "basis": r.basis,
            "gpu": r.gpu}


def _lines(frame: Frame) -> list[alt.Chart]:
    """The diagonal, and 10 % off it."""
    lines = []
    for ratio, dash, width in ((1.0, [1, 0], 1.6), (1.1, [5, 4], 1.1), (1 / 1.1, [5, 4], 1.1)):
        ends = [{"x": x, "y": x * ratio} for x in (frame.x.low, frame.x.high)]
        lines.append(alt.Chart(marks.data(ends)).mark_line(
            color=theme.INK, strokeDash=dash, strokeWidth=width, clip=True).encode(
                **frame.encode()))
    return lines
