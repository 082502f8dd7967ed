"""scripts/accuracy --data FOLDER [--out FOLDER] [--quick] [--jobs N] [--bin FOLDER]

Exit codes: 0 done, 1 failed, 2 wrong use or bad input.
"""
import argparse
import os
import pathlib
import sys

from charts import output
from charts.errors import BadInput

from . import report, stock, study
from .product import Failed, Product

try:
    import vl_convert
    from charts import theme

    from . import chart_learning
except ImportError:
    chart_learning = None

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="accuracy", description=(
        "Makes tables from a part of published kernel latencies, tests them on the others, and "
        "writes accuracy.md with its chart."))
    parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER", required=True,
                        help="its files are called <source>__<gpu>__<family>.csv")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "docs",
                        help="default: docs")
    parser.add_argument("--quick", action="store_true",
                        help="only tables of few points: a try of the command, not of the model")
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count() or 1,
                        help="tables made at a time; default: one a core")
    parser.add_argument("--bin", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "build/bin",
                        help="where calibrate and predict are; default: build/bin")
    return parser.parse_args()


def check(options: argparse.Namespace) -> None:
    if not options.data.is_dir():
        raise BadInput(f"{options.data}: is not a folder; name the one with the published CSVs")
    for command in ("calibrate", "predict"):
        if not (options.bin / command).is_file():
            raise BadInput(f"{options.bin}: has no {command}; build it, or name another with --bin")
    if options.jobs < 1:
        raise BadInput("--jobs: must be 1 or more")
    output.check(options.out)


def say(text: str) -> None:
    print(text, flush=True)


def picture(studies: list[study.Study]) -> dict[str, bytes]:
    """The chart by its file's name; empty where nothing can draw it, or it has nothing to show."""
    if chart_learning is None:
        say("no chart: Altair and vl-convert are not installed; run scripts/setup")
        return {}
    chart = chart_learning.draw(studies)
    if chart is None:
        return {}
    spec = chart.properties(config=theme.config()).to_dict()
    return {f"{chart_learning.NAME}.svg": vl_convert.vegalite_to_svg(spec).encode()}


def run(options: argparse.Namespace) -> None:
    check(options)
    if not stock.available():
        say(stock.MISSING)
    studies = study.run(options.data, Product(options.bin.resolve()), _ROOT / "roofline/devices",
                        options.jobs, options.quick, say)
    if not studies:
        raise BadInput(f"{options.data}: has none of the files that accuracy is tested on")
    files = picture(studies)
    page = report.text(studies, next(iter(files), None))
    output.write(options.out, {**files, "accuracy.md": page.encode()}, [])
    say(f"written: {options.out / 'accuracy.md'}")


def main() -> int:
    options = arguments()
    try:
        run(options)
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except (Failed, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
