"""predictions.csv as the charts use it."""
import csv
import math
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass

from charts.errors import BadInput

SHOWN = 3000  # points of a chart: more hide one another and make the page slow
_REMAKE = "make it again with `predict validate --out`"
_COLUMNS = ("gpu", "op", "dtype", "latency_us", "predicted_us", "low_us", "high_us", "basis")
# Neither axes nor what the points are drawn by.
_NOT_AXES = {*_COLUMNS, "file", "line", "implementation", "bound"}


@dataclass(frozen=True)
class Row:
    gpu: str
    op: str
    dtype: str
    shape: str  # "m=16 n=4096 k=4096"
    measured_s: float
    predicted_s: float
    low_s: float
    high_s: float
    basis: str

    @property
    def ratio(self) -> float:
        return self.predicted_s / self.measured_s

    @property
    def error(self) -> float:
        return abs(self.ratio - 1)


@dataclass(frozen=True)
class Tests:
    """Rows that are no samples of their table; all of them where every row is one."""
    rows: tuple[Row, ...]
    in_table: int  # rows left out

    @property
    def shown(self) -> list[Row]:
        """Evenly chosen where there are too many to draw."""
        count = min(SHOWN, len(self.rows))
        return [self.rows[i * len(self.rows) // count] for i in range(count)]

    @property
    def devices(self) -> str:
        gpus = sorted({r.gpu for r in self.rows})
        return ", ".join(gpus) if len(gpus) <= 3 else f"{len(gpus)} devices"

    @property
    def told(self) -> str:
        errors = sorted(r.error for r in self.rows)
        text = (f"{len(self.rows):,} rows: median error {quantile(errors, 0.5):.1%}, "
                f"90th percentile {quantile(errors, 0.9):.1%}")
        if self.in_table:
            text += f"; {self.in_table:,} of the table's own samples left out"
        return text

    def table(self) -> list[tuple[str, list[str]]]:
        """Name, and count, mean, median and 90th percentile of the error, as text."""
        groups: dict[str, list[float]] = {"all": []}
        for r in sorted(self.rows, key=lambda r: (r.gpu, r.op, r.dtype)):
            groups["all"].append(r.error)
            groups.setdefault(f"{r.gpu}: {r.op} {r.dtype}", []).append(r.error)
        return [(name, [f"{len(e):,}", f"{sum(e) / len(e):.1%}",
                        *(f"{quantile(sorted(e), q):.1%}" for q in (0.5, 0.9))])
                for name, e in groups.items()]


def quantile(ordered: list[float], q: float) -> float:
    at = q * (len(ordered) - 1)
    i, part = math.floor(at), at - math.floor(at)
    return ordered[i] * (1 - part) + ordered[min(i + 1, len(ordered) - 1)] * part


def load(path: pathlib.Path) -> Tests:
    """Raises BadInput that names the file, the line and the column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _COLUMNS if c not in (reader.fieldnames or ())]
            if missing:
                raise BadInput(f"{path}:1: column '{missing[0]}' is missing; {_REMAKE}")
            rows = [_row(path, reader.line_num, cells) for cells in reader]
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror or e}; {_REMAKE}") from e
    except (csv.Error, UnicodeDecodeError) as e:
        raise BadInput(f"{path}: no CSV file ({e}); {_REMAKE}") from e
    if not rows:
        raise BadInput(f"{path}: has no rows; {_REMAKE}")
    tests = tuple(r for r in rows if r.basis != "measured")
    return Tests(tests, len(rows) - len(tests)) if tests else Tests(tuple(rows), 0)


def _row(path: pathlib.Path, line: int, cells: dict[str, str]) -> Row:
    if None in cells or None in cells.values():
        raise BadInput(f"{path}:{line}: has fewer or more cells than the header; {_REMAKE}")
    times = {c: _seconds(path, line, c, cells[c]) for c in (
        "latency_us", "predicted_us", "low_us", "high_us")}
    shape = " ".join(f"{k}={v}" for k, v in cells.items() if v and k not in _NOT_AXES)
    return Row(cells["gpu"], cells["op"], cells["dtype"], shape, times["latency_us"],
               times["predicted_us"], times["low_us"], times["high_us"], cells["basis"])


def _seconds(path: pathlib.Path, line: int, column: str, text: str | None) -> float:
    try:
        value = float(text or "") * 1e-6
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise BadInput(f"{path}:{line}: column '{column}': {text!r} is not a positive number; "
                       f"{_REMAKE}")
    return value


def by_size(rows: Iterable[Row]) -> list[tuple[float, list[Row]]]:
    """Rows of each third of a decade of measured time, with its middle; few rows tell no spread."""
    bins: dict[int, list[Row]] = {}
    for r in rows:
        bins.setdefault(math.floor(3 * math.log10(r.measured_s)), []).append(r)
    return [(10 ** ((i + 0.5) / 3), found) for i, found in sorted(bins.items()) if len(found) >= 8]
