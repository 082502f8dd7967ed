"""docs/accuracy.md: page.md, which people write, with the figures put in."""
import pathlib
import string

from . import stock, worst
from .split import COLUMNS, ROWS
from .study import ALL, Outcome, Study

_TEMPLATE = pathlib.Path(__file__).with_name("page.md")
_NONE = ""


def text(studies: list[Study], chart: str | None) -> str:
    template = string.Template(_TEMPLATE.read_text(encoding="utf-8"))
    picture = f"![Error against the number of measured calls]({chart})\n" if chart else _NONE
    return template.substitute(
        all_rows=_table(studies, ALL), points_500=_table(studies, 500), picture=picture,
        learning=_learning(studies), worst=_worst(studies),
        stock=_NONE if stock.available() else f"Here {stock.MISSING}.\n")


def _grid(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _percent(error: float | None) -> str:
    return _NONE if error is None else f"{100 * error:.1f}"


def _table(studies: list[Study], points: int) -> str:
    """Errors and coverage in %, by part; the aim is that of the rows."""
    heads = ["", "calls", "rows", "inside", "trees", "columns", "inside", "trees", "aim", ""]
    lines = []
    for study in studies:
        outcome = study.outcomes.get(points)
        if outcome is None:
            continue
        aim = study.case.aim_500 if points else study.case.aim_all
        cells = [c for part in (ROWS, COLUMNS) for c in _cells(outcome, part)]
        met = "met" if round(100 * outcome.error(ROWS), 1) <= aim else "missed"
        calls = points * study.operators if points else study.trained_on
        lines.append([study.case.title, f"{calls:,}", *cells, f"{aim:g}", met])
    return _grid(heads, lines) if lines else "(not run)"


def _cells(outcome: Outcome, part: str) -> list[str]:
    return [f"**{_percent(outcome.error(part))}**", f"{100 * outcome.inside(part):.0f}",
            _percent(outcome.stock.get(part))]


def _learning(studies: list[Study]) -> str:
    """Error on unseen rows, a slash, and that of the stock regressor."""
    shown = [s for s in studies if s.case.learning]
    sizes = sorted({points for s in shown for points in s.outcomes if points != ALL})
    lines = []
    for s in shown:
        outcomes = [s.outcomes.get(points) for points in (*sizes, ALL)]
        lines.append([s.case.title, *(_pair(o) if o else _NONE for o in outcomes)])
    return _grid(["", *(f"{points:,}" for points in sizes), "all"], lines)


def _pair(outcome: Outcome) -> str:
    other = outcome.stock.get(ROWS)
    return _percent(outcome.error(ROWS)) + (f" / {_percent(other)}" if other else "")


def _worst(studies: list[Study]) -> str:
    lines = []
    for study in studies:
        for i, t in enumerate(worst.rows(study)):
            first = [study.case.title, f"{100 * worst.share_of_worst(study):.0f} %"]
            lines.append([*(first if i == 0 else [_NONE, _NONE]), f"`{t.call}`",
                          f"{t.measured_us:.4g}", f"{t.predicted_us:.4g}",
                          f"{100 * t.error:+.0f} %"])
    return _grid(["", "share of the worst 1 %", "call", "measured (us)", "predicted (us)", "off"],
                 lines)
