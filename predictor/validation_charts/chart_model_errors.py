"""How far predictions of whole models are off, by source, framework, GPU, model and batch."""
from dataclasses import dataclass

import altair as alt
from charts import marks, theme
from charts.frame import Axis, Frame

from .model_rows import TIMES, Tests, Time, spread

NAME = "error_by_group"
READ = ("Predicted over measured time of each group of rows: the mark is the median, the thick bar "
        "holds half of the rows, the thin one 80 %; what is further off than the frame lies on its "
        "edge. Beside them stand the number of rows and the share of measurements "
        "within the predicted 80 % interval.")
WIDTH = 560
_LINE, _GAP, _HEAD = 15, 5, 30  # px: of a group's time, between groups, above a heading
_LEAST, _FURTHEST = 1.25, 4.0  # how far the axis reaches at least, and at most
_TICKS = (0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0)
_LABEL = "(datum.value > 1.001 ? '+' : '') + format(datum.value - 1, '.0%')"
_COLOURS = dict(zip(TIMES, theme.COLOURS, strict=False))
_SHAPES = dict(zip(TIMES, theme.SHAPES, strict=False))


@dataclass(frozen=True)
class _Placed:
    lines: list[marks.Row]
    headings: list[marks.Row]
    names: list[marks.Row]
    height: int


def draw(tests: Tests) -> alt.LayerChart:
    placed = _place(tests)
    low = max(1 / _FURTHEST, min([1 / _LEAST, *(f["p10"] / 1.04 for f in placed.lines)]))
    high = min(_FURTHEST, max([_LEAST, *(f["p90"] * 1.04 for f in placed.lines)]))
    ticks = tuple(t for t in _TICKS if low <= t <= high)
    frame = Frame(Axis("Prediction off by (%)", low, high, 10, _LABEL, ticks),
                  Axis("", placed.height, 0), WIDTH, placed.height)
    for f in placed.lines:
        for q in ("p10", "p25", "p50", "p75", "p90"):
            f[q] = min(max(f[q], low), high)
    layers = [*_rules(frame), *_bars(placed.lines, frame, tests.present), *_texts(placed, frame)]
    return marks.panel(layers, frame, marks.title(
        f"Error by group: {tests.devices}", tests.told,
        "mark: median; thick bar: half of the rows; thin bar: 80 %; dashed: 10 % off"))


def _place(tests: Tests) -> _Placed:
    """A line for each group and time, from the top down, in pixels."""
    made = _Placed([], [], [], 0)
    at = 0
    divided = tests.groups() or [("All", [("all rows", list(tests.rows))])]
    for heading, groups in divided:
        at += _HEAD
        made.headings.append({"y": at - 8, "text": heading})
        for name, rows in groups:
            present = [t for t in TIMES if any(t in r.times for r in rows)]
            middle = at + _LINE * len(present) / 2
            made.names.append({"y": middle, "text": name if len(name) <= 30 else name[:28] + "…"})
            for time in present:
                made.lines.append(_line(at + _LINE / 2, heading, name, time,
                                        [r.times[time] for r in rows if time in r.times]))
                at += _LINE
            at += _GAP
    return _Placed(made.lines, made.headings, made.names, at + 4)


def _line(y: float, heading: str, name: str, time: str, times: list[Time]) -> marks.Row:
    found = spread(times)
    inside = sum(t.inside for t in times) / len(times)
    return {"y": y, "time": time, heading.lower(): name, "group": name, **found,
            "rows": f"{len(times):,}", "inside": f"{inside:.0%}",
            "median": f"{found['p50'] - 1:+.1%}",
            "80 % within": f"{found['p10'] - 1:+.1%} to {found['p90'] - 1:+.1%}"}


def _y(frame: Frame, field: str = "y") -> alt.Y:
    return alt.Y(f"{field}:Q", scale=frame.y.scale(), axis=None)


def _bars(lines: list[marks.Row], frame: Frame, present: list[str]) -> list[alt.Chart]:
    legend = alt.Legend(title=None) if len(present) > 1 else None
    colour = alt.Color("time:N", legend=legend, sort=present, scale=alt.Scale(
        domain=present, range=[_COLOURS[t] for t in present]))
    shape = alt.Shape("time:N", legend=legend, sort=present, scale=alt.Scale(
        domain=present, range=[_SHAPES[t] for t in present]))
    base = alt.Chart(marks.data(lines)).encode(y=_y(frame), color=colour)
    bars = [base.mark_rule(strokeWidth=width, opacity=opacity).encode(
        x=frame.encode(x=low)["x"], x2=f"{high}:Q")
        for low, high, width, opacity in (("p10", "p90", 1.6, 0.8), ("p25", "p75", 6, 0.45))]
    mark = base.mark_point(filled=True, size=44, opacity=1).encode(
        x=frame.encode(x="p50")["x"], shape=shape,
        tooltip=marks.tooltips("group", "time", "rows", "median", "80 % within", "inside"))
    return [*bars, mark]


def _rules(frame: Frame) -> list[alt.Chart]:
    """Exact, and 10 % off."""
    return [alt.Chart(marks.data([{"x": x}])).mark_rule(
        color=theme.INK, strokeDash=dash, strokeWidth=1.0).encode(x=frame.encode()["x"])
        for x, dash in ((1.0, [1, 0]), (1.1, [5, 4]), (1 / 1.1, [5, 4]))]


def _texts(placed: _Placed, frame: Frame) -> list[alt.Chart]:
    """Names to the left; rows and the share inside to the right, under a head of their own."""
    right = WIDTH + 44

    def column(rows: list[marks.Row], x: float, align: str, field: str = "text",
               **more: object) -> alt.Chart:
        return alt.Chart(marks.data(rows)).mark_text(
            fontSize=theme.LABEL, color=theme.INK, align=align, baseline="middle", **more).encode(
                x=alt.value(x), y=_y(frame), text=f"{field}:N")

    head = [{"y": placed.headings[0]["y"], "text": "rows", "inside": "inside"}]
    return [column(placed.names, -8, "right"),
            column(placed.headings, -8, "right", fontWeight="bold"),
            column(placed.lines, right, "right", "rows"),
            column(placed.lines, right + 52, "right", "inside"),
            column(head, right, "right", fontWeight="bold"),
            column(head, right + 52, "right", "inside", fontWeight="bold")]
