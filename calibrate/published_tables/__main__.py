"""scripts/import_published --data FOLDER [--tables h200/vllm …] [--out FOLDER] [--bin FOLDER]

Exit codes: 0 done, 1 failed, 2 wrong use or bad input.
"""
import argparse
import pathlib
import sys
import time

from . import make, readme
from .errors import BadInput
from .recipes import RECIPES, Recipe

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import_published", description=(
        "Makes the tables of results/ from published kernel latencies, and results/README.md."))
    parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER",
                        help="its files are called <source>__<gpu>__<family>.csv; without it only "
                        "README.md is written")
    parser.add_argument("--tables", nargs="+", metavar="NAME", choices=[
        r.path.removesuffix(".json") for r in RECIPES], help="only these, such as h200/vllm")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "results",
                        help="default: results")
    parser.add_argument("--bin", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "build/bin",
                        help="where calibrate is; default: build/bin")
    return parser.parse_args()


def make_table(recipe: Recipe, options: argparse.Namespace) -> None:
    started = time.monotonic()
    table = make.make(recipe, options.data, options.bin.resolve() / "calibrate")
    if table is None:
        print(f"{recipe.path}: skipped, {options.data} has none of its files", flush=True)
        return
    make.write(options.out / recipe.path, table)
    print(f"{recipe.path}: {make.brief(table)}, {time.monotonic() - started:.0f} s", flush=True)


def run(options: argparse.Namespace) -> None:
    if options.data:
        if not options.data.is_dir():
            raise BadInput(f"{options.data}: is not a folder; name the one with the published CSVs")
        if not (options.bin / "calibrate").is_file():
            raise BadInput(f"{options.bin}: has no calibrate; build it, or name another with --bin")
        for recipe in RECIPES:
            if not options.tables or recipe.path.removesuffix(".json") in options.tables:
                make_table(recipe, options)
    make.write(options.out / "README.md", readme.text(options.out).encode())


def main() -> int:
    try:
        run(arguments())
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except OSError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
