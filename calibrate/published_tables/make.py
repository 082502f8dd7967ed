"""One table: the rows that its recipe takes, through `calibrate import`."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile

from .errors import BadInput
from .recipes import Recipe

MOST_BYTES = 2_000_000  # of a table: small enough to be read, diffed and kept in the repository
_FEWEST_POINTS = 100


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


def run_import(calibrate: pathlib.Path, recipe: Recipe, names: list[str], points: int,
               folder: str) -> bytes:
    """The table, made in `folder` so that its command line names no folder of this machine."""
    timed = ["--timed", "host"] if recipe.source.host_timed else []
    done = subprocess.run(
        [calibrate, "import", "--gpu", recipe.gpu, "--csv", *names, "--points", str(points),
         *timed, "--out", "table.json"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BadInput(f"{recipe.path}: calibrate import failed: {done.stderr.strip()}")
    return (pathlib.Path(folder) / "table.json").read_bytes()


def make(recipe: Recipe, data: pathlib.Path, calibrate: pathlib.Path) -> bytes | None:
    """The table's text, or None where its files are absent. Fewer points where it is too big."""
    with tempfile.TemporaryDirectory(prefix="ridge-import-") as folder:
        names = [f.name for f in files_of(recipe, data)
                 if taken(recipe, f, pathlib.Path(folder) / f.name)]
        if not names:
            return None
        points = recipe.points
        while points >= _FEWEST_POINTS:
            table = run_import(calibrate, recipe, names, points, folder)
            if len(table) <= MOST_BYTES:
                return table
            points = points * 7 // 10
    raise BadInput(f"{recipe.path}: is over {MOST_BYTES} bytes even with {_FEWEST_POINTS} points")


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
