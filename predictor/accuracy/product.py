"""The product's own commands: a table from some rows, and what it says of others."""
import csv
import pathlib
import subprocess
import tempfile
from dataclasses import dataclass

from .split import COLUMNS, ROWS, Split, write


class Failed(Exception):
    """A command failed: which, and what it said."""


@dataclass(frozen=True)
class Tested:
    part: str  # ROWS or COLUMNS
    call: str  # "gemm m=16 n=4096 k=4096"
    measured_us: float
    predicted_us: float
    inside: bool  # of the predicted range

    @property
    def error(self) -> float:
        return self.predicted_us / self.measured_us - 1


@dataclass(frozen=True)
class Product:
    bin: pathlib.Path

    def predictions(self, split: Split, points: int) -> list[Tested]:
        """By a table of `points` calls of each operator, or of all where `points` is 0."""
        with tempfile.TemporaryDirectory(prefix="ridge-accuracy-") as name:
            folder = pathlib.Path(name)
            for part, rows in (("train", split.train), (ROWS, split.rows),
                               (COLUMNS, split.columns)):
                write(folder / f"{part}.csv", split.header, rows)
            chosen = ["--points", str(points)] if points else []
            self._run("calibrate", "import", "--gpu", split.train[0]["gpu"], "--csv",
                      folder / "train.csv", "--out", folder / "table.json", *chosen)
            self._run("predict", "validate", "--table", folder / "table.json", "--csv",
                      folder / f"{ROWS}.csv", folder / f"{COLUMNS}.csv", "--out", folder,
                      "--no-charts")
            return read(folder / "predictions.csv")

    def _run(self, command: str, *arguments: object) -> None:
        """1 of predict: some rows could not be predicted, and the others were."""
        line = [str(self.bin / command), *map(str, arguments)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode not in ((0, 1) if command == "predict" else (0,)):
            raise Failed(f"{' '.join(line)}: {done.stderr.strip() or done.returncode}")


_NOT_AXES = {"file", "line", "gpu", "op", "dtype", "implementation", "latency_us", "predicted_us",
             "low_us", "high_us", "bound", "basis"}


def read(predictions: pathlib.Path) -> list[Tested]:
    with predictions.open(encoding="utf-8", newline="") as file:
        return [_tested(row) for row in csv.DictReader(file)]


def _tested(row: dict[str, str]) -> Tested:
    axes = " ".join(f"{k}={v}" for k, v in row.items() if v and k not in _NOT_AXES)
    measured, low, high = (float(row[c]) for c in ("latency_us", "low_us", "high_us"))
    return Tested(pathlib.Path(row["file"]).stem, f"{row['op']} {axes}", measured,
                  float(row["predicted_us"]), low <= measured <= high)
