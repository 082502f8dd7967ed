"""scripts/import_published --data FOLDER [--tables h200/vllm …] [--whole FOLDER] [--out FOLDER]
[--bin FOLDER]

Exit codes: 0 done, 1 failed, 2 wrong use or bad input.
"""
import argparse
import pathlib
import sys
import tempfile
import time

from . import make, make_transfers, readme
from .errors import BadInput
from .recipes import RECIPES, Recipe
from .transfers import TRANSFERS, Transfer, parts

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def name_of(table: Recipe | Transfer) -> str:
    return table.path.removesuffix(".json")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import_published", description=(
        "Makes the tables of results/ from published kernel latencies, and results/README.md."))
    parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER",
                        help="its files are called <source>__<gpu>__<family>.csv; without it only "
                        "README.md is written")
    parser.add_argument("--tables", nargs="+", metavar="NAME",
                        choices=[name_of(t) for t in (*RECIPES, *TRANSFERS)],
                        help="only these, such as h200/vllm or l4/transferred")
    parser.add_argument("--whole", type=pathlib.Path, metavar="FOLDER",
                        help="keep the tables of all rows there, and use those that are there; "
                        "default: a temporary folder")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "results",
                        help="default: results")
    parser.add_argument("--bin", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "build/bin",
                        help="where calibrate is; default: build/bin")
    return parser.parse_args()


class Maker:
    """Tables of all rows in `whole`, from them those that ship in `out`."""

    def __init__(self, options: argparse.Namespace, whole: pathlib.Path) -> None:
        self.data, self.out, self.whole = options.data, options.out, whole
        self.calibrate = options.bin.resolve() / "calibrate"

    def has_whole(self, recipe: Recipe) -> bool:
        return (self.whole / recipe.path).is_file() or make.whole(recipe, self.data, self.calibrate,
                                                                  self.whole)

    def small(self, recipe: Recipe) -> bytes | None:
        return make.small(recipe, self.calibrate, self.whole) if self.has_whole(recipe) else None

    def transferred(self, transfer: Transfer) -> bytes | None:
        wanted = {path for tables in parts(transfer).values() for path, _ in tables}
        for recipe in RECIPES:
            if recipe.path in wanted:
                self.has_whole(recipe)
        return make_transfers.make(transfer, self.whole, self.calibrate)

    def make(self, table: Recipe | Transfer) -> None:
        started = time.monotonic()
        made = self.small(table) if isinstance(table, Recipe) else self.transferred(table)
        if made is None:
            print(f"{table.path}: skipped, {self.data} has none of its files", flush=True)
            return
        make.write(self.out / table.path, made)
        print(f"{table.path}: {make.brief(made)}, {time.monotonic() - started:.0f} s", flush=True)


def make_tables(options: argparse.Namespace) -> None:
    if not options.data.is_dir():
        raise BadInput(f"{options.data}: is not a folder; name the one with the published CSVs")
    if not (options.bin / "calibrate").is_file():
        raise BadInput(f"{options.bin}: has no calibrate; build it, or name another with --bin")
    with tempfile.TemporaryDirectory(prefix="ridge-whole-") as temporary:
        maker = Maker(options, options.whole or pathlib.Path(temporary))
        for table in (*RECIPES, *TRANSFERS):
            if not options.tables or name_of(table) in options.tables:
                maker.make(table)


def run(options: argparse.Namespace) -> None:
    if options.data:
        make_tables(options)
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
