"""Published rows, cut into those that tables are made from and those they are asked for."""
import csv
import hashlib
import pathlib
from dataclasses import dataclass

from .cases import Case, Row

_SALT = "ridgepoint accuracy"
ROWS, COLUMNS = "rows", "columns"  # the parts that are tested on


@dataclass(frozen=True)
class Split:
    header: list[str]
    train: list[Row]
    rows: list[Row]  # unseen, in columns that others were seen of
    columns: list[Row]  # of columns that nothing was seen of


def load(case: Case, data: pathlib.Path) -> Split | None:
    """None where the file is absent or has no such rows."""
    path = data / case.file
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = [row for row in reader if case.is_of(row)]
        header = list(reader.fieldnames or ())
    parts: dict[str, list[Row]] = {"train": [], ROWS: [], COLUMNS: []}
    for row in found:
        parts[part_of(case, row)].append(row)
    return Split(header, **parts) if all(parts.values()) else None


def part_of(case: Case, row: Row) -> str:
    """A tenth of the columns and those of one model; of the others a fifth of the shapes."""
    gpu, column = row["gpu"], "x".join(row[a] for a in case.column)
    if _hash("column", gpu, case.key, column) % 10 == 0 or (case.model and case.model(row)):
        return COLUMNS
    shape = "x".join(row[a] for a in case.axes)
    return ROWS if _hash("shape", gpu, row["op"], row["dtype"], shape) % 5 == 0 else "train"


def _hash(*words: str) -> int:
    return int(hashlib.sha1("|".join((_SALT, *words)).encode()).hexdigest(), 16)


def write(path: pathlib.Path, header: list[str], rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
