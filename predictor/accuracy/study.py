"""All of the figures: each case, with all rows and with fewer."""
import pathlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import physics, split, stock
from .cases import CASES, Case
from .product import Product, Tested
from .split import Split

ALL = 0  # instead of a number of points
_TABLE = (ALL, 500)
_LEARNING = (50, 100, 200, 500, 1000, 2000, 5000, ALL)
_QUICK = (50, 200)


@dataclass(frozen=True)
class Outcome:
    """One table of one case, asked for what it did not see."""
    points: int  # of each operator; ALL
    tested: list[Tested]
    stock: dict[str, float]  # mean error by part; empty where there is no stock regressor

    def of(self, part: str) -> list[Tested]:
        return [t for t in self.tested if t.part == part]

    def error(self, part: str) -> float:
        found = self.of(part)
        return sum(abs(t.error) for t in found) / len(found)

    def inside(self, part: str) -> float:
        found = self.of(part)
        return sum(t.inside for t in found) / len(found)


@dataclass(frozen=True)
class Study:
    case: Case
    trained_on: int
    operators: int
    outcomes: dict[int, Outcome]  # by points

    @property
    def most(self) -> Outcome:
        """With all rows, or as many as were asked for."""
        return self.outcomes[ALL if ALL in self.outcomes else max(self.outcomes)]

    def curve(self) -> list[tuple[int, Outcome]]:
        """Calls of each operator, and what they led to; fewest first."""
        each = self.trained_on // self.operators
        found = [(points or each, outcome) for points, outcome in self.outcomes.items()]
        return sorted(found, key=lambda size_and_outcome: size_and_outcome[0])


def run(data: pathlib.Path, product: Product, devices: pathlib.Path, jobs: int, quick: bool,
        say: Callable[[str], None]) -> list[Study]:
    """Those whose files are there. `jobs` of the product's commands run at a time."""
    splits = {case.key: split.load(case, data) for case in CASES}
    for case in CASES:
        if splits[case.key] is None:
            say(f"{case.title}: skipped, {data / case.file} is absent or has no such rows")
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [(case, parts, {
            points: pool.submit(_outcome, case, parts, points, product, devices)
            for points in _sizes(case, parts, quick)})
            for case in CASES if (parts := splits[case.key])]
        studies = []
        for case, parts, futures in waiting:
            outcomes = {points: future.result() for points, future in futures.items()}
            studies.append(Study(case, len(parts.train), _operators(parts), outcomes))
            say(f"{case.title}: {len(parts.train):,} rows, "
                f"{100 * studies[-1].most.error(split.ROWS):.1f} % off unseen rows")
    return studies


def _operators(parts: Split) -> int:
    return len({row["op"] for row in parts.train})


def _sizes(case: Case, parts: Split, quick: bool) -> Iterator[int]:
    """Those that leave some rows out, and all."""
    wanted = _QUICK if quick else _LEARNING if case.learning else _TABLE
    each = len(parts.train) // _operators(parts)
    return (points for points in wanted if points < each)


def _outcome(case: Case, parts: Split, points: int, product: Product,
             devices: pathlib.Path) -> Outcome:
    device = physics.device(parts.train[0]["gpu"], devices)
    return Outcome(points, product.predictions(parts, points),
                   stock.errors(case, parts, points, device))
