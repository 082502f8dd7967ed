"""predictions.csv of whole models as the charts use it."""
import csv
import math
import pathlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from charts.errors import BadInput

from .rows import quantile

REMAKE = "make it again with `predict validate --out`"
TIMES = ("TTFT", "TPOT", "total")
_NEEDED = ("gpu", "model", "input_tokens", "output_tokens", "batch", *(
    f"predicted_{t.lower()}_ms{end}" for t in TIMES for end in ("", "_low", "_high")))


@dataclass(frozen=True)
class Time:
    measured_s: float
    predicted_s: float
    low_s: float
    high_s: float

    @property
    def ratio(self) -> float:
        return self.predicted_s / self.measured_s

    @property
    def error(self) -> float:
        return abs(self.ratio - 1)

    @property
    def inside(self) -> bool:
        return self.low_s <= self.measured_s <= self.high_s


@dataclass(frozen=True)
class Row:
    """A configuration with the times that were both measured and predicted."""
    line: int  # of predictions.csv
    source: str
    framework: str
    gpu: str  # "H100-SXM x4"
    model: str
    batch: str
    request: str  # "512 in, 128 out, batch 4"
    times: dict[str, Time]


# What rows are divided by: heading, and what a row is called there.
GROUPINGS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("Source", lambda r: r.source), ("Framework", lambda r: r.framework),
    ("GPU", lambda r: r.gpu), ("Model", lambda r: r.model), ("Batch", lambda r: r.batch))


@dataclass(frozen=True)
class Tests:
    rows: tuple[Row, ...]
    left_out: int  # rows of the file without a prediction, or without a measured time

    @property
    def present(self) -> list[str]:
        """The times that rows have."""
        return [t for t in TIMES if any(t in r.times for r in self.rows)]

    @property
    def devices(self) -> str:
        gpus = sorted({r.gpu for r in self.rows}, key=natural)
        return ", ".join(gpus) if len(gpus) <= 3 else f"{len(gpus)} GPUs and groups of GPUs"

    @property
    def told(self) -> str:
        parts = []
        for t in self.present:
            found = [r.times[t] for r in self.rows if t in r.times]
            parts.append(f"{t} {mean_error(found):.1%}")
        text = f"{counted(len(self.rows))}; mean error of " + ", ".join(parts)
        return text + (f"; {counted(self.left_out)} not compared" if self.left_out else "")

    def of(self, time: str) -> list[tuple[Row, Time]]:
        return [(r, r.times[time]) for r in self.rows if time in r.times]

    def groups(self) -> list[tuple[str, list[tuple[str, list[Row]]]]]:
        """Each way to divide the rows that gives several groups, with its groups in order."""
        divided = []
        for heading, key in GROUPINGS:
            found: dict[str, list[Row]] = {}
            for r in self.rows:
                found.setdefault(key(r) or "not said", []).append(r)
            if len(found) > 1:
                divided.append((heading, sorted(found.items(), key=lambda f: natural(f[0]))))
        return divided

    def worst(self, count: int) -> list[tuple[str, Row, Time]]:
        """The time of each row that is furthest off; the worst first."""
        found = [max(((name, r, t) for name, t in r.times.items()), key=lambda f: f[2].error)
                 for r in self.rows]
        return sorted(found, key=lambda f: -f[2].error)[:count]


def counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def natural(name: str) -> list[tuple[int, str]]:
    """Numbers in names count as numbers: x2 before x16."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name) if p]


def mean_error(times: list[Time]) -> float:
    return sum(t.error for t in times) / len(times)


def spread(times: list[Time]) -> dict[str, float]:
    """Quantiles of predicted / measured: p10, p25, p50, p75, p90."""
    ratios = sorted(t.ratio for t in times)
    return {f"p{round(100 * q)}": quantile(ratios, q) for q in (0.1, 0.25, 0.5, 0.75, 0.9)}


def load(path: pathlib.Path) -> Tests:
    """Raises BadInput that names the file, the line and the column."""
    rows, count = [], 0
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _NEEDED if c not in (reader.fieldnames or ())]
            if missing:
                raise BadInput(f"{path}:1: column '{missing[0]}' is missing; {REMAKE}")
            for cells in reader:
                count += 1
                row = _row(path, reader.line_num, cells)
                if row.times:
                    rows.append(row)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror or e}; {REMAKE}") from e
    except (csv.Error, UnicodeDecodeError) as e:
        raise BadInput(f"{path}: no CSV file ({e}); {REMAKE}") from e
    if not rows:
        raise BadInput(f"{path}: has no row with a measured and a predicted time; {REMAKE}")
    return Tests(tuple(rows), count - len(rows))


def _row(path: pathlib.Path, line: int, cells: dict[str, str]) -> Row:
    if None in cells or None in cells.values():
        raise BadInput(f"{path}:{line}: has fewer or more cells than the header; {REMAKE}")
    times = {}
    for name in TIMES:
        measured = cells.get(f"measured_{name.lower()}_ms", "")
        columns = [f"predicted_{name.lower()}_ms{end}" for end in ("", "_low", "_high")]
        # No step after the first token, no time of one: written as 0.
        if measured and cells[columns[0]] not in ("", "0"):
            times[name] = Time(_seconds(path, line, f"measured_{name.lower()}_ms", measured),
                               *(_seconds(path, line, c, cells[c]) for c in columns))
    request = (f"{cells['input_tokens']} in, {cells['output_tokens']} out, "
               f"batch {cells['batch']}")
    return Row(line, cells.get("source", ""), cells.get("framework", ""),
               f"{cells['gpu']} x{cells.get('gpus') or 1}", cells["model"], cells["batch"], request,
               times)


def _seconds(path: pathlib.Path, line: int, column: str, text: str) -> float:
    try:
        value = float(text) * 1e-3
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise BadInput(f"{path}:{line}: column '{column}': {text!r} is not a positive number; "
                       f"{REMAKE}")
    return value
