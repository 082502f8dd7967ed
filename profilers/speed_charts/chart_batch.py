"""Throughput and latency against batch size, measured and predicted."""
from collections.abc import Callable

import altair as alt
from charts import marks, theme
from charts.frame import Axis, Frame

from .results import Batch, Predicted, Sweep

NAME = "batch"
READ = ("Points are measured; the line is what the table of this machine predicts, with its 80 % "
        "interval. Left: what the batch gets in all, right: how long each user waits for a token.")
SIZE = (400, 300)


def draw(sweep: Sweep) -> alt.HConcatChart:
    rate = _panel(sweep, "Generated tokens a second", "Throughput",
                  lambda b: b.tokens / b.total_s,
                  lambda b: b.total and Predicted(b.tokens / b.total.value, b.tokens / b.total.high,
                                                  b.tokens / b.total.low))
    wait = _panel(sweep, "TPOT (ms)", "Latency", lambda b: b.tpot_s * 1e3,
                  lambda b: b.tpot and Predicted(b.tpot.value * 1e3, b.tpot.low * 1e3,
                                                 b.tpot.high * 1e3))
    return alt.hconcat(rate, wait, spacing=40).properties(title=marks.title(
        f"{sweep.model} on {sweep.device}, {sweep.dtype}",
        f"{sweep.prompt} tokens in, {sweep.output} out, by batch size"))


def _panel(sweep: Sweep, axis: str, heading: str, measured: Callable[[Batch], float],
           predicted: Callable[[Batch], Predicted | None]) -> alt.LayerChart:
    sizes = [b.size for b in sweep.batches]
    found = [(b.size, measured(b), predicted(b)) for b in sweep.batches]
    top = max(v for _, value, p in found for v in (value, p.high if p else 0))
    frame = Frame(Axis("Batch", sizes[0] / 1.15, sizes[-1] * 1.15, 2, ticks=tuple(sizes)),
                  Axis(axis, 0, 1.06 * top), *SIZE)
    layers = []
    known = [{"x": x, "y": p.value, "low": p.low, "high": p.high} for x, _, p in found if p]
    if known:
        base = alt.Chart(marks.data(known)).encode(**frame.encode())
        layers.append(base.mark_area(opacity=0.18, color=theme.BLUE).encode(
            y=alt.Y("low:Q", scale=frame.y.scale(), axis=frame.y.axis(5)), y2="high:Q"))
        layers.append(base.mark_line(color=theme.BLUE, strokeWidth=1.8))
    points = [{"x": x, "y": y, "batch": str(x), "measured": f"{y:.4g}",
               "predicted": f"{p.value:.4g} ({p.low:.4g} to {p.high:.4g})" if p else "-"}
              for x, y, p in found]
    layers.append(alt.Chart(marks.data(points)).mark_point(
        filled=True, size=52, color=theme.VERMILLION, opacity=1).encode(
            **frame.encode(), tooltip=marks.tooltips("batch", "measured", "predicted")))
    told = "points: measured; line: predicted" if known else "measured"
    return marks.panel(layers, frame, marks.title(heading, told))
