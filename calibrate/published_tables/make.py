"""One table: the rows that its recipe takes, through `calibrate import` and `calibrate compact`."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile

from .errors import BadInput
from .recipes import Recipe

MOST_BYTES = 2_000_000  # of a table: small enough to be read, diffed and kept in the repository


def files_of(recipe: Recipe, data: pathlib.Path) -> list[pathlib.Path]:
    names = (f"{recipe.source.name}__{recipe.gpu}__{family}.csv" for family in recipe.families)
    return [data / name for name in names if (data / name).is_file()]


def taken(recipe: Recipe, source: pathlib.Path, to: pathlib.Path) -> int:
    """Writes the rows of one file that the recipe takes, with where they are from; their number."""
    added = {"repository": recipe.source.repository, "licence": recipe.source.terms,
             "remark": recipe.source.remark}
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row | added for row in reader if recipe.takes(row)]
        columns = [*(reader.fieldnames or ()), *added]
    if rows:
        with to.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    return len(rows)


def run(calibrate: pathlib.Path, arguments: list[str], folder: pathlib.Path, path: str) -> None:
    """In `folder`, so that the command line in the table names no folder of this machine."""
    done = subprocess.run([calibrate, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise BadInput(f"{path}: calibrate {arguments[0]} failed: {done.stderr.strip()}")


def whole(recipe: Recipe, data: pathlib.Path, calibrate: pathlib.Path,
          folder: pathlib.Path) -> bool:
    """Writes `recipe.path` below `folder`, of all rows; False where its files are absent."""
    with tempfile.TemporaryDirectory(prefix="ridge-import-") as name:
        work = pathlib.Path(name)
        names = [f.name for f in files_of(recipe, data) if taken(recipe, f, work / f.name)]
        if not names:
            return False
        points = ["--points", str(recipe.points)] if recipe.points else []
        timed = ["--timed", "host"] if recipe.source.host_timed else []
        run(calibrate, ["import", "--gpu", recipe.gpu, "--csv", *names, *points, *timed,
                        "--out", "table.json"], work, recipe.path)
        write(folder / recipe.path, (work / "table.json").read_bytes())
    return True


def small(recipe: Recipe, calibrate: pathlib.Path, folder: pathlib.Path) -> bytes:
    """What ships of the whole table below `folder`."""
    with tempfile.TemporaryDirectory(prefix="ridge-compact-") as name:
        out = pathlib.Path(name) / "table.json"
        run(calibrate, ["compact", "--table", recipe.path, "--out", str(out)], folder, recipe.path)
        table = out.read_bytes()
    if len(table) > MOST_BYTES:
        raise BadInput(f"{recipe.path}: has {len(table)} bytes, over {MOST_BYTES}; divide its "
                       "operators among two recipes")
    return table


def write(path: pathlib.Path, content: bytes) -> None:
    """To a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def brief(table: bytes) -> str:
    j = json.loads(table)
    errors = sorted(c["cv_mean_error"] for c in j["curves"])
    return (f"{len(table) / 1e6:.2f} MB, {len(j['curves'])} curves, cross-validated error "
            f"{errors[0]:.1%} to {errors[-1]:.1%}")
