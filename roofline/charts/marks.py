"""The marks that several charts share: series with their legend, dashed rules, labels."""
from collections.abc import Iterable
from typing import Any

import altair as alt

from . import theme, units
from .ceilings import Level, Sweep, level_title
from .frame import Frame
from .layout import spread_out

Row = dict[str, Any]


def data(rows: Iterable[Row]) -> alt.Data:
    return alt.Data(values=list(rows))


def tooltips(*names: str) -> list[alt.Tooltip]:
    """Fields that hold finished text; each is shown under its own name."""
    return [alt.Tooltip(f"{name}:N", title=name) for name in names]


def title(text: str, *lines: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=list(lines))


def rows(sweep: Sweep, series: str, divisor: float, x_name: str, x_text: Any, y_name: str,
         y_text: Any) -> list[Row]:
    """Points of a sweep for `series_layer`; y is drawn in units of `divisor`."""
    return [{"x": x, "y": y / divisor, "series": series, x_name: x_text(x), y_name: y_text(y)}
            for x, y in sweep.points]


def series_layer(points: list[Row], frame: Frame, names: list[str], tips: list[str],
                 colours: list[str] | None = None, size: int = 38) -> list[alt.Chart]:
    """Lines with a mark at each point: its colour and its shape both tell the series."""
    points = [p for p in points if not (frame.x.log and p["x"] <= 0)]
    present = [n for n in names if any(p["series"] == n for p in points)]
    colours = colours or theme.take(theme.COLOURS, len(names))
    chosen = [names.index(n) for n in present]
    columns = max(1, frame.width // max(110, 8 * max(map(len, present), default=0) + 40))
    legend = alt.Legend(title=None, columns=columns) if len(present) > 1 else None
    colour = alt.Color("series:N", legend=legend, sort=present, scale=alt.Scale(
        domain=present, range=[colours[i] for i in chosen]))
    shape = alt.Shape("series:N", legend=legend, sort=present, scale=alt.Scale(
        domain=present, range=[theme.SHAPES[i % len(theme.SHAPES)] for i in chosen]))
    base = alt.Chart(data(points)).encode(**frame.encode(), color=colour)
    line = base.mark_line(strokeWidth=1.8)
    mark = base.mark_point(filled=True, size=size, opacity=1).encode(
        shape=shape, tooltip=tooltips("series", *tips))
    return [line, mark]


def vertical_rules(at: list[tuple[float, str]], frame: Frame) -> list[alt.Chart]:
    """Dashed rules with their labels above the frame, moved apart where they would touch."""
    inside = [(x, text) for x, text in at if frame.x.low <= x <= frame.x.high]
    if not inside:
        return []
    wide = max(len(text) for _, text in inside) * 6.6 + 8
    lefts = spread_out([frame.left(x) for x, _ in inside], wide)
    shown = [{"x": x, "text": text, "left": left}
             for (x, text), left in zip(inside, lefts, strict=True)]
    rule = alt.Chart(data(shown)).mark_rule(strokeDash=[5, 4], color=theme.RULE,
                                            strokeWidth=1.2).encode(x=frame.encode()["x"])
    text = [alt.Chart(data([one])).mark_text(
        fontSize=theme.LABEL, color=theme.QUIET, baseline="bottom", align="center").encode(
            x=alt.value(one["left"]), y=alt.value(-4), text="text:N") for one in shown]
    return [rule, *text]


def level_rules(levels: Iterable[Level], frame: Frame) -> list[alt.Chart]:
    return vertical_rules([(lv.bytes, f"{level_title(lv.name)} {units.size(lv.bytes)}")
                           for lv in levels], frame)


def horizontal_rule(y: float, text: str, frame: Frame, colour: str = theme.QUIET,
                    above: bool = True) -> list[alt.Chart]:
    """A dashed rule with its label on it at the right end."""
    one = data([{"y": y, "text": text}])
    rule = alt.Chart(one).mark_rule(strokeDash=[6, 4], color=colour, strokeWidth=1.4).encode(
        y=frame.encode()["y"])
    label = alt.Chart(one).mark_text(
        fontSize=theme.LABEL, color=colour, align="right", dx=-6, dy=-4 if above else 4,
        baseline="bottom" if above else "top").encode(
            x=alt.value(frame.width), y=frame.encode()["y"], text="text:N")
    return [rule, label]


def note(x: float, y: float, text: str, frame: Frame, colour: str = theme.INK,
         **mark: Any) -> alt.Chart:
    """Text at a place of the data."""
    return alt.Chart(data([{"x": x, "y": y, "text": text}])).mark_text(
        fontSize=theme.LABEL, color=colour, **mark).encode(
            x=alt.value(frame.left(x)), y=alt.value(frame.top(y)), text="text:N")


def panel(layers: list[alt.Chart], frame: Frame,
          heading: alt.TitleParams | str, raised: bool = False) -> alt.LayerChart:
    """A text is a panel's title, `title()` that of a whole chart. `raised`: above the labels of
    vertical rules."""
    size = {"width": frame.width, "height": frame.height}
    if isinstance(heading, str):
        return alt.layer(*layers, panel_title(heading, raised)).properties(**size)
    return alt.layer(*layers).properties(**size, title=heading)


def panel_title(text: str, raised: bool) -> alt.Chart:
    """Of one panel among several: a mark, so that those side by side are on one line."""
    return alt.Chart(data([{"text": text}])).mark_text(
        fontSize=13, color=theme.INK, align="left", baseline="bottom").encode(
            x=alt.value(0), y=alt.value(-26 if raised else -9), text="text:N")
