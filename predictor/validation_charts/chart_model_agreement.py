"""Predicted against measured TTFT, TPOT and total time, with 80 % intervals."""
import altair as alt
from charts import marks, theme, units
from charts.frame import Frame, log_axis

from .model_rows import GROUPINGS, Row, Tests, Time, counted, natural
from .rows import SHOWN

NAME = "agreement"
READ = ("Each point is a measured configuration, its bar the predicted 80 % interval. On the "
        "diagonal the prediction is exact; between the dashed lines it is within 10 %. Above the "
        "diagonal, predictions are too slow. A bar that does not reach the diagonal misses the "
        "measurement.")
_WIDTHS = {1: 520, 2: 400, 3: 274}  # of a panel, by how many stand side by side
_MOST = 8  # entries of the legend
_OTHERS = "others"


def draw(tests: Tests) -> alt.HConcatChart:
    heading, names = _series(tests)
    panels = [_panel(tests.of(t), t, names, _WIDTHS[len(tests.present)]) for t in tests.present]
    drawn = f"; {SHOWN:,} rows a panel are drawn" if len(tests.rows) > SHOWN else ""
    return alt.hconcat(*panels, spacing=20).properties(title=marks.title(
        f"Predicted and measured time: {tests.devices}", tests.told,
        f"line: exact; dashed: 10 % off; bars: 80 % intervals; colour: {heading}{drawn}"))


def _series(tests: Tests) -> tuple[str, dict[int, str]]:
    """What colours tell apart, and each row's entry in the legend, by its line. GPUs where there
    are several, else what else the rows differ by."""
    keys = dict(GROUPINGS)
    differ = [h for h in ("GPU", "Model", "Framework", "Batch", "Source")
              if len({keys[h](r) for r in tests.rows}) > 1]
    heading = differ[0] if differ else "GPU"
    counts: dict[str, int] = {}
    for r in tests.rows:
        name = keys[heading](r) or "not said"
        counts[name] = counts.get(name, 0) + 1
    kept = sorted(counts, key=lambda n: -counts[n])
    kept = kept if len(kept) <= _MOST else kept[:_MOST - 1]
    named = {r.line: keys[heading](r) or "not said" for r in tests.rows}
    return heading.lower() if heading != "GPU" else heading, {
        line: name if name in kept else _OTHERS for line, name in named.items()}


def _panel(found: list[tuple[Row, Time]], time: str, names: dict[int, str],
           size: int) -> alt.LayerChart:
    count = min(SHOWN, len(found))
    shown = [found[i * len(found) // count] for i in range(count)]
    longest = max(t.measured_s for _, t in shown)
    unit, name = (1.0, "s") if longest >= 3 else (1e-3, "ms")
    times = [s / unit for _, t in shown for s in (t.measured_s, t.predicted_s, t.low_s, t.high_s)]
    frame = Frame(log_axis(f"Measured {time} ({name})", times),
                  log_axis(f"Predicted {time} ({name})", times), size, size)
    points = [{"x": _digits(t.measured_s / unit), "y": _digits(t.predicted_s / unit),
               "low": _digits(t.low_s / unit), "high": _digits(t.high_s / unit),
               "series": names[r.line], **_facts(r, t)} for r, t in shown]
    return marks.panel([*_points(points, frame, sorted(set(names.values()), key=_order)),
                        *_lines(frame)], frame, f"{time}, {counted(len(found))}")


def _order(name: str) -> list[tuple[int, str]]:
    return [(10**9, "")] if name == _OTHERS else natural(name)


def _points(points: list[marks.Row], frame: Frame, entries: list[str]) -> list[alt.Chart]:
    dense = len(points) > 150
    legend = alt.Legend(title=None, columns=4, symbolOpacity=1) if len(entries) > 1 else None
    colours = [theme.RULE if e == _OTHERS else c
               for e, c in zip(entries, theme.take(theme.COLOURS, len(entries)), strict=True)]
    colour = alt.Color("series:N", legend=legend, sort=entries, scale=alt.Scale(
        domain=entries, range=colours))
    shape = alt.Shape("series:N", legend=legend, sort=entries, scale=alt.Scale(
        domain=entries, range=theme.take(theme.SHAPES, len(entries))))
    base = alt.Chart(marks.data(points)).encode(**frame.encode(), color=colour)
    bars = base.mark_rule(opacity=0.22 if dense else 0.5, strokeWidth=1.2, clip=True).encode(
        y=frame.encode(y="low")["y"], y2="high:Q")
    dots = base.mark_point(filled=True, size=18 if dense else 42, opacity=0.6 if dense else 0.9,
                           clip=True).encode(shape=shape, tooltip=marks.tooltips(
                               "model", "gpu", "request", "measured", "predicted", "interval",
                               "error", "framework", "source"))
    return [bars, dots]


def _facts(r: Row, t: Time) -> marks.Row:
    return {"model": r.model, "gpu": r.gpu, "request": r.request, "source": r.source,
            "framework": r.framework, "measured": units.seconds(t.measured_s),
            "predicted": units.seconds(t.predicted_s), "error": f"{t.ratio - 1:+.1%}",
            "interval": f"{units.seconds(t.low_s)} to {units.seconds(t.high_s)}"}


def _digits(value: float) -> float:
    return float(f"{value:.5g}")


def _lines(frame: Frame) -> list[alt.Chart]:
    """The diagonal, and 10 % off it."""
    lines = []
    for ratio, dash, width in ((1.0, [1, 0], 1.4), (1.1, [5, 4], 1.0), (1 / 1.1, [5, 4], 1.0)):
        ends = [{"x": x, "y": x * ratio} for x in (frame.x.low, frame.x.high)]
        lines.append(alt.Chart(marks.data(ends)).mark_line(
            color=theme.INK, strokeDash=dash, strokeWidth=width, clip=True).encode(
                **frame.encode()))
    return lines
