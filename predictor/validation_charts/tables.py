"""The tables of the page, as HTML: anchor, heading, text."""
import html
from collections.abc import Iterable

from charts import units

from . import model_rows, rows

_WORST = 20
Section = tuple[str, str, str]


def of_kernels(tests: rows.Tests) -> list[Section]:
    """A line for each operator and GPU."""
    return [("statistics", "Statistics",
             _table(["", "rows", "mean", "median", "p90"], tests.table()))]


def of_models(tests: model_rows.Tests) -> list[Section]:
    """A table for each way to divide the rows, and the rows that are furthest off."""
    heads = [""] + [f"{t} {what}" for t in tests.present for what in ("rows", "error", "inside")]
    divided = [("", [("all rows", list(tests.rows))]), *tests.groups()]
    text = "".join(
        (f"<h3>{heading}</h3>" if heading else "") +
        _table(heads, [(name, _cells(tests.present, found)) for name, found in groups])
        for heading, groups in divided)
    return [("statistics", "Statistics",
             "<p>Mean |predicted / measured − 1|, and the share of measurements within the predicted "
             f"80 % interval.</p>{text}"), ("worst", "The worst", _worst(tests))]


def _cells(present: list[str], found: list[model_rows.Row]) -> list[str]:
    cells = []
    for name in present:
        times = [r.times[name] for r in found if name in r.times]
        cells += [f"{len(times):,}", f"{model_rows.mean_error(times):.1%}",
                  f"{sum(t.inside for t in times) / len(times):.0%}"] if times else ["", "", ""]
    return cells


def _worst(tests: model_rows.Tests) -> str:
    lines = [(f"{r.model} on {r.gpu}, {r.request}" + (f", {r.framework}" if r.framework else ""),
              [name, f"{t.ratio - 1:+.1%}", units.seconds(t.measured_s),
               units.seconds(t.predicted_s), f"{units.seconds(t.low_s)} to "
               f"{units.seconds(t.high_s)}", str(r.line)])
             for name, r, t in tests.worst(_WORST)]
    return _table(["", "time", "error", "measured", "predicted", "80 % interval", "line"], lines)


def _table(heads: list[str], lines: Iterable[tuple[str, list[str]]]) -> str:
    body = "".join(
        f"<tr><td>{html.escape(name)}</td>" + "".join(
            f'<td class="number">{html.escape(cell)}</td>' for cell in cells) + "</tr>"
        for name, cells in lines)
    return f"<table><tr>{''.join(f'<th>{h}</th>' for h in heads)}</tr>{body}</table>"
