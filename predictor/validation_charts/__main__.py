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

    from . import chart_agreement, chart_error_by_size, chart_model_agreement, chart_model_errors
    from . import model_rows, rows, tables
except ImportError as missing:
    print(f"error: {missing}: {INSTALL}", file=sys.stderr)
    sys.exit(1)
from charts.errors import BadInput

CHARTS = (chart_agreement, chart_error_by_size)
MODEL_CHARTS = (chart_model_agreement, chart_model_errors)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plot_validation", description=(
        "Draws predictions beside measurements, of kernels or of whole models: one page, "
        "validation.html, and each chart as SVG."))
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER",
                        help="where `predict validate --out` wrote predictions.csv")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", help="default: the same")
    return parser.parse_args()


def specify(chart: alt.TopLevelMixin) -> dict[str, object]:
    return chart.properties(config=theme.config()).to_dict()


def of_models(path: pathlib.Path) -> bool:
    """Rows of whole models: the header has a model and no operator. A file that cannot be read is
    told when it is loaded."""
    try:
        with path.open(encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return "model" in columns and "op" not in columns


def run(options: argparse.Namespace) -> None:
    out, path = options.out or options.folder, options.folder / "predictions.csv"
    models = of_models(path)
    tests = model_rows.load(path) if models else rows.load(path)
    charts, others = (MODEL_CHARTS, CHARTS) if models else (CHARTS, MODEL_CHARTS)
    sections = tables.of_models(tests) if models else tables.of_kernels(tests)
    output.check(out)
    specs = [(m, specify(m.draw(tests))) for m in charts]
    files = {"validation.html": page.document(
        f"Predictions for {tests.devices}", html.escape(tests.told), specs, sections,
        []).encode()}
    for m, spec in specs:
        files[f"{m.NAME}.svg"] = vl_convert.vegalite_to_svg(spec).encode()
    # What an earlier run drew of the other kind.
    output.write(out, files, [s for m in others if (s := f"{m.NAME}.svg") not in files])
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
