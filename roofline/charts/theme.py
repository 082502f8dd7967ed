"""How every chart looks: Okabe-Ito colours, a shape beside each colour, white ground."""
from typing import Any

# Okabe & Ito, Color Universal Design, 2008; the yellow is left out, since it fades on white.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, BLACK = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000")
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
# For series that have an order, such as threads: viridis without its palest end.
ORDERED = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0c81e")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left",
          "triangle-right")
INK, QUIET, RULE = "#222222", "#555555", "#8a8a8a"
FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
WIDTH, HEIGHT = 720, 380
PANEL_WIDTH, PANEL_HEIGHT = 370, 300
LABEL = 12  # px, the smallest text of a chart


def config() -> dict[str, Any]:
    axis = {"labelFontSize": LABEL, "titleFontSize": 13, "titleFontWeight": "normal",
            "labelColor": INK, "titleColor": INK, "gridColor": "#e6e6e6", "domainColor": INK,
            "tickColor": INK, "titlePadding": 8, "labelOverlap": "greedy", "labelFlush": False}
    return {"background": "white", "font": FONT, "padding": 12, "view": {"stroke": "#cccccc"},
            "axis": axis,
            "legend": {"labelFontSize": LABEL, "titleFontSize": LABEL, "orient": "bottom",
                       "labelColor": INK, "symbolSize": 90, "symbolStrokeWidth": 2,
                       "labelLimit": 320, "columnPadding": 18, "rowPadding": 5, "offset": 14,
                       "title": None},
            "title": {"anchor": "start", "frame": "group", "fontSize": 16, "fontWeight": "bold",
                      "color": INK, "subtitleFontSize": 12.5, "subtitleColor": QUIET,
                      "subtitlePadding": 5, "subtitleLineHeight": 17, "offset": 14}}


def take(values: tuple[Any, ...], count: int) -> list[Any]:
    """The first `count`, from the start again where there are fewer."""
    return [values[i % len(values)] for i in range(count)]


def ordered(count: int) -> list[str]:
    """`count` colours of ORDERED, spread over all of it."""
    last = len(ORDERED) - 1
    return [ORDERED[round(i * last / max(1, count - 1))] for i in range(count)]
