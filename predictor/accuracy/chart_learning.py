"""Error against the number of measured calls, an operator a panel."""
import altair as alt
from charts import marks, theme
from charts.frame import Axis, Frame, log_axis

from .split import ROWS
from .study import Study

NAME = "accuracy_learning"
_COLUMNS = 3
_WIDTH, _HEIGHT = 250, 190
_OURS, _STOCK = "Ridgepoint", "extra trees, random points"
_LABEL = "format(datum.value, '~g')"
_SIZES = (50, 200, 1000, 5000, 20000)


def draw(studies: list[Study]) -> alt.ConcatChart | None:
    shown = [s for s in studies if s.case.learning and len(s.outcomes) > 1]
    if not shown:
        return None
    return alt.concat(*(_panel(s) for s in shown), columns=_COLUMNS, spacing=30).properties(
        title=marks.title(
            "Error against the number of measured calls",
            "mean of |predicted / measured - 1| on unseen rows; the last points: all training rows"))


def _points(study: Study) -> list[marks.Row]:
    points = []
    for calls, outcome in study.curve():
        errors = {_OURS: outcome.error(ROWS), _STOCK: outcome.stock.get(ROWS)}
        points += [{"x": calls, "y": 100 * error, "series": name, "calls": f"{calls:,}",
                    "error": f"{error:.1%}"} for name, error in errors.items() if error]
    return points


def _panel(study: Study) -> alt.LayerChart:
    points = _points(study)
    last = max(p["x"] for p in points)
    each = " of each operator" if study.operators > 1 else ""
    x = Axis(f"Calls{each}", min(p["x"] for p in points) / 1.2, last * 1.2, 10, _LABEL,
             tuple(float(s) for s in _SIZES if s <= last * 1.2))
    frame = Frame(x, log_axis("Mean error (%)", (p["y"] for p in points)), _WIDTH, _HEIGHT)
    layers = marks.series_layer(points, frame, [_OURS, _STOCK], ["calls", "error"],
                                [theme.BLUE, theme.VERMILLION])
    return marks.panel(layers, frame, study.case.title)
