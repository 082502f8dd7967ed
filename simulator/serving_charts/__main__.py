"""scripts/plot_serving --out FOLDER [--requests CSV] [--series CSV] [--sweep JSONL]

Exit codes: 0 drawn, 1 failed, 2 wrong use or bad input.
"""
import argparse
import pathlib
import sys

INSTALL = "charts are drawn with Altair and vl-convert; to install them, run scripts/setup"

try:
    import vl_convert
    from charts import output, page, theme

    from . import draw, rows
except ImportError as missing:
    print(f"error: {missing}: {INSTALL}", file=sys.stderr)
    sys.exit(1)
from charts.errors import BadInput


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plot_serving", description=(
        "Draws what simulate wrote: one page, serving.html, and each chart as SVG."))
    for flag, what in (("requests", "simulate --requests-csv"), ("series", "simulate --series-csv"),
                       ("sweep", "simulate sweep --out")):
        parser.add_argument(f"--{flag}", type=pathlib.Path, metavar="FILE", help=f"of {what}")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", required=True)
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    charts = []
    if options.requests:
        columns = ("arrival_s", "first_token_s", "finish_s")
        charts.append(draw.latency(rows.table(options.requests, columns)))
    if options.series:
        series = rows.table(options.series, ("replica", "time_s", "running", "waiting",
                                             "cache_used"))
        charts += [draw.timeline(series), draw.cache(series)]
    if options.sweep:
        charts.append(draw.pareto(rows.sweep(options.sweep)))
    if not charts:
        raise BadInput("nothing to draw: give --requests, --series or --sweep")
    output.check(options.out)
    specs = [(c, c.drawn.properties(config=theme.config()).to_dict()) for c in charts]
    files = {"serving.html": page.document("A simulated service", "", specs, [], []).encode()}
    for chart, spec in specs:
        files[f"{chart.NAME}.svg"] = vl_convert.vegalite_to_svg(spec).encode()
    output.write(options.out, files, [])
    print(f"{len(specs)} charts: {options.out / 'serving.html'}")


def main() -> int:
    try:
        run(arguments())
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
