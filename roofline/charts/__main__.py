"""scripts/plot_roofline CEILINGS.json [--table delay_factors.json] [--out FOLDER]

Exit codes: 0 drawn, 1 failed, 2 wrong use or bad input.
"""
import argparse
import pathlib
import sys

INSTALL = "charts are drawn with Altair and vl-convert; to install them, run scripts/setup"

try:
    import altair as alt
    import vl_convert

    from . import (ceilings, chart_access, chart_copy_size, chart_host_copy, chart_latency,
                   chart_mix, chart_parallelism, chart_roofline, chart_staircase, chart_sustained,
                   chart_working_set, output, page, table, theme)
except ImportError as missing:
    print(f"error: {missing}: {INSTALL}", file=sys.stderr)
    sys.exit(1)
from .errors import BadInput

CHARTS = (chart_roofline, chart_working_set, chart_access, chart_mix, chart_latency,
          chart_parallelism, chart_staircase, chart_sustained, chart_copy_size, chart_host_copy)
_PNG_SCALE = 2  # sharp on screens of twice the density, and in print


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plot_roofline", description=(
        "Draws the charts of a device's ceilings: one page, roofline.html, and each chart as SVG "
        "and PNG. docs/roofline.md tells how to read them."))
    parser.add_argument("ceilings", type=pathlib.Path, metavar="CEILINGS.json")
    parser.add_argument("--table", type=pathlib.Path, metavar="delay_factors.json",
                        help="the same device's table: its calls become points of the roofline")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER",
                        help="default: charts/ beside CEILINGS.json")
    return parser.parse_args()


def specify(chart: alt.TopLevelMixin) -> dict[str, object]:
    return chart.properties(config=theme.config()).to_dict()


def run(options: argparse.Namespace) -> None:
    out = options.out or options.ceilings.parent / "charts"
    found = ceilings.load(options.ceilings)
    of_calls = table.load(options.table, found.device) if options.table else None
    output.check(out)
    drawn = [(m, chart) for m in CHARTS if (chart := m.draw(found, of_calls)) is not None]
    missing = [m for m in CHARTS if m not in [d for d, _ in drawn]]
    left_out = [*(of_calls.notes if of_calls else ()),
                *(f"no chart {m.NAME}: {options.ceilings.name} has no {m.NEEDS}"
                  for m in missing)]
    for line in left_out:
        print(f"note: {line}", file=sys.stderr)
    if not drawn:
        raise BadInput(f"{options.ceilings}: nothing to draw: key 'values' has no dram.read with a "
                       "peak, and key 'sweeps' none that a chart is made of; measure again with "
                       "`roofline`")
    specs = [(m, specify(chart)) for m, chart in drawn]
    files = {"roofline.html": page.page(found, specs, left_out).encode()}
    for m, spec in specs:
        files[f"{m.NAME}.svg"] = vl_convert.vegalite_to_svg(spec).encode()
        files[f"{m.NAME}.png"] = vl_convert.vegalite_to_png(spec, scale=_PNG_SCALE)
    output.write(out, files, [f"{m.NAME}.{suffix}" for m in missing for suffix in ("svg", "png")])
    print(f"{len(drawn)} chart{'s' if len(drawn) > 1 else ''}: {out / 'roofline.html'}")


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
