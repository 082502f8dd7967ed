"""scripts/plot_benchmark FILE [--out FOLDER]

Exit codes: 0 drawn, 1 failed, 2 wrong use or bad input.
"""
import argparse
import pathlib
import sys

INSTALL = "charts are drawn with Altair and vl-convert; to install them, run scripts/setup"

try:
    import vl_convert
    from charts import output, page, theme

    from . import chart_batch, results
except ImportError as missing:
    print(f"error: {missing}: {INSTALL}", file=sys.stderr)
    sys.exit(1)
from charts.errors import BadInput


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plot_benchmark", description=(
        "Draws the batch sweep of a speed benchmark: one page, benchmark.html, and an SVG."))
    parser.add_argument("file", type=pathlib.Path, metavar="FILE",
                        help="benchmark_results.json of speed_benchmark --sweep")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER",
                        help="default: charts beside the file")
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    out = options.out or options.file.parent / "charts"
    sweep = results.load(options.file)
    output.check(out)
    spec = chart_batch.draw(sweep).properties(config=theme.config()).to_dict()
    files = {"benchmark.html": page.document(
        f"{sweep.model} on {sweep.device}", "measured by speed_benchmark", [(chart_batch, spec)],
        [], []).encode(), f"{chart_batch.NAME}.svg": vl_convert.vegalite_to_svg(spec).encode()}
    output.write(out, files, [])
    print(f"1 chart: {out / 'benchmark.html'}")


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
