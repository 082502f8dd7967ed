"""A stock regressor beside the product: extra trees on roofline features, fitted to the logarithm
of measured over ideal time, a forest for each operator."""
import math
import random
from collections import defaultdict

from .cases import Case, Row
from .physics import Device
from .split import COLUMNS, ROWS, Split

try:
    from sklearn.ensemble import ExtraTreesRegressor
except ImportError:
    ExtraTreesRegressor = None

MISSING = ("the stock regressor's columns are left out: scikit-learn is not installed (PyPI: "
           "scripts/accuracy-requirements.txt)")
_TREES, _SEED = 100, 1


def available() -> bool:
    return ExtraTreesRegressor is not None


def errors(case: Case, split: Split, points: int, device: Device) -> dict[str, float]:
    """Mean |predicted / measured - 1| by part, with `points` random rows of each operator (0: all).
    Empty where scikit-learn is not installed."""
    if not available():
        return {}
    train = _by_operator(split.train)
    asked = {ROWS: _by_operator(split.rows), COLUMNS: _by_operator(split.columns)}
    found: dict[str, list[float]] = {part: [] for part in asked}
    for op, rows in train.items():
        forest = _fit(case, _some(rows, points), device)
        for part, groups in asked.items():
            if op in groups:
                found[part] += _errors(case, forest, groups[op], device)
    return {part: sum(of) / len(of) for part, of in found.items() if of}


def _by_operator(rows: list[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["op"]].append(row)
    return groups


def _some(rows: list[Row], points: int) -> list[Row]:
    return random.Random(_SEED).sample(rows, points) if 0 < points < len(rows) else rows


def _fit(case: Case, rows: list[Row], device: Device) -> "ExtraTreesRegressor":
    known = [device.features(row, case.axes) for row in rows]
    logs = [math.log(float(row["latency_us"]) * 1e-6 / ideal)
            for row, (_, ideal) in zip(rows, known, strict=True)]
    return ExtraTreesRegressor(_TREES, random_state=_SEED).fit([x for x, _ in known], logs)


def _errors(case: Case, forest: "ExtraTreesRegressor", rows: list[Row],
            device: Device) -> list[float]:
    wanted = [device.features(row, case.axes) for row in rows]
    predicted = forest.predict([x for x, _ in wanted])
    return [abs(math.exp(p) * ideal * 1e6 / float(row["latency_us"]) - 1)
            for row, p, (_, ideal) in zip(rows, predicted, wanted, strict=True)]
