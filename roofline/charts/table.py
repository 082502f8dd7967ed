"""The samples of delay_factors.json that have a place on the roofline."""
import pathlib
from dataclasses import dataclass
from typing import Any

from .errors import BadInput, read_json

_REMAKE = "make the table again with `calibrate`"


@dataclass(frozen=True)
class Sample:
    op: str
    shape: str  # "m=16 n=4096 k=4096"
    dtype: str
    implementation: str
    median_s: float
    ideal_s: float
    delay_factor: float
    bound: str
    flops: float
    bytes: float

    @property
    def intensity(self) -> float:
        return self.flops / self.bytes


@dataclass(frozen=True)
class Table:
    samples: tuple[Sample, ...]  # with arithmetic, timed by the table's own method
    without_flops: tuple[str, ...]  # operators that only move data
    notes: tuple[str, ...]  # why points are missing


def load(path: pathlib.Path, device: str) -> Table:
    """`device` is whose table this must be. Raises BadInput that names the file and the key."""
    found = read_json(path, _REMAKE)
    if not isinstance(found, dict) or not ("samples" in found or "delay_factors" in found):
        raise BadInput(f"{path}: not a delay-factor table: key 'samples' is missing; {_REMAKE}")
    if "samples" not in found:
        return Table((), (), (f"{path.name} is of the first generation and tells no work of its "
                              f"calls: no operators on the roofline; {_REMAKE}",))
    if not isinstance(found["samples"], list):
        raise BadInput(f"{path}: key 'samples' must be a list; {_REMAKE}")
    _check_device(path, found, device)
    groups = [(i, g) for i, g in enumerate(found["samples"])
              if not isinstance(g, dict) or g.get("method") == found.get("method")]
    if found.get("schema_version") == 2:
        return Table((), (), (f"{path.name} is of version 2, without columns: no operators on the "
                              "roofline; make it again with `calibrate --resume`",))
    if any(isinstance(g, dict) and "flops" not in g for _, g in groups):
        return Table((), (), (f"{path.name}: samples have no 'flops', as in tables of more than "
                              "10,000 calls: no operators on the roofline",))
    samples = [s for i, g in groups for s in _samples(path, i, g)]
    placed = tuple(s for s in samples if s.flops > 0 and s.bytes > 0)
    moving = {s.op for s in samples} - {s.op for s in placed}
    return Table(placed, tuple(sorted(moving)), ())


def _check_device(path: pathlib.Path, found: dict[str, Any], device: str) -> None:
    of = found.get("device")
    name = of.get("name") if isinstance(of, dict) else None
    if name != device:
        raise BadInput(f"{path}: key 'device.name' is {name!r}, and the ceilings are of "
                       f"{device!r}; give the table of the same device")


def _samples(path: pathlib.Path, index: int, group: Any) -> list[Sample]:
    """Of one op, dtype, implementation and method: a column for each axis and quantity."""
    at = f"samples[{index}]"
    try:
        rows = len(group["median_s"])
        columns = {k: _column(group, k, rows) for k in (
            "median_s", "delay_factor", "flops", "bytes_read", "bytes_written")}
        bounds = [str(group["bounds"][i]) for i in _column(group, "bound", rows)]
        dims = {axis: _column(group["dims"], axis, rows) for axis in group["dims"]}
        made = [Sample(
            op=str(group["op"]), shape=" ".join(f"{axis}={v[i]}" for axis, v in dims.items()),
            dtype=str(group["dtype"]), implementation=str(group["implementation"]),
            median_s=float(columns["median_s"][i]),
            ideal_s=columns["median_s"][i] / columns["delay_factor"][i],
            delay_factor=float(columns["delay_factor"][i]), bound=bounds[i],
            flops=float(columns["flops"][i]),
            bytes=float(columns["bytes_read"][i] + columns["bytes_written"][i]))
            for i in range(rows)]
    except KeyError as e:
        raise BadInput(f"{path}: key '{at}.{e.args[0]}' is missing; {_REMAKE}") from e
    except (TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError) as e:
        raise BadInput(f"{path}: key '{at}': {e}; {_REMAKE}") from e
    if not all(s.median_s > 0 for s in made):
        raise BadInput(f"{path}: key '{at}.median_s' must be positive; {_REMAKE}")
    return made


def _column(parent: dict[str, Any], key: str, rows: int) -> list[Any]:
    values = parent[key]
    if len(values) != rows:
        raise ValueError(f"{key} has {len(values)} numbers, median_s has {rows}")
    return list(values)
