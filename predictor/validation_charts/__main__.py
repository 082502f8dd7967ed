"""scripts/plot_validation FOLDER [--out FOLDER]

Exit codes: 0 drawn, 1 failed, 2 wrong use or bad input.
"""
import argparse
import html
import pathlib
import sys

INSTALL = "charts are drawn with Altair and vl-convert; to install them, run scripts/setup"

try:
    import altair as alt
    import vl_convert
    from charts import output, page, theme

    from . import chart_agreement, chart_error_by_size, rows
except ImportError as missing:
    print(f"error: {missing}: {INSTALL}", file=sys.stderr)
    sys.exit(1)
from charts.errors import BadInput

CHARTS = (chart_agreement, chart_error_by_size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plot_validation", description=(
        "Draws predictions beside measurements: one page, validation.html, and each chart as SVG."))
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER",
                        help="where `predict validate --out` wrote predictions.csv")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", help="default: the same")
    return parser.parse_args()


def specify(chart: alt.TopLevelMixin) -> dict[str, object]:
    return chart.properties(config=theme.config()).to_dict()


def statistics(tests: rows.Tests) -> str:
    """A line for each operator and GPU, as HTML."""
    lines = "".join(
        f"<tr><td>{html.escape(name)}</td>" + "".join(
            f'<td class="number">{cell}</td>' for cell in cells) + "</tr>"
        for name, cells in tests.table())
    heads = "".join(f"<th>{h}</th>" for h in ("", "rows", "mean", "median", "p90"))
    return f"<table><tr>{heads}</tr>{lines}</table>"


def run(options: argparse.Namespace) -> None:
    out = options.out or options.folder
    tests = rows.load(options.folder / "predictions.csv")
    output.check(out)
    specs = [(m, specify(m.draw(tests))) for m in CHARTS]
    files = {"validation.html": page.document(
        f"Predictions for {tests.devices}", html.escape(tests.told), specs,
        [("statistics", "Statistics", statistics(tests))], []).encode()}
    for m, spec in specs:
        files[f"{m.NAME}.svg"] = vl_convert.vegalite_to_svg(spec).encode()
    output.write(out, files, [])
    print(f"{len(specs)} charts: {out / 'validation.html'}")


def main() -> int:
    options = arguments()
    try:
        run(options)
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
