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
    entries = [(i, s) for i, s in enumerate(found["samples"])
               if not isinstance(s, dict) or s.get("method") == found.get("method")]
    untold = [s for _, s in entries if isinstance(s, dict) and "flops" not in s]
    if untold:
        return Table((), (), (f"{path.name}: samples have no 'flops', 'bytes_read' and "
                              f"'bytes_written': no operators on the roofline; {_REMAKE}",))
    samples = [_sample(path, i, s) for i, s in entries]
    placed = tuple(s for s in samples if s.flops > 0 and s.bytes > 0)
    moving = {s.op for s in samples} - {s.op for s in placed}
    return Table(placed, tuple(sorted(moving)), ())


def _check_device(path: pathlib.Path, found: dict[str, Any], device: str) -> None:
    of = found.get("device")
    name = of.get("name") if isinstance(of, dict) else None
    if name != device:
        raise BadInput(f"{path}: key 'device.name' is {name!r}, and the ceilings are of "
                       f"{device!r}; give the table of the same device")


def _sample(path: pathlib.Path, index: int, s: Any) -> Sample:
    at = f"samples[{index}]"
    try:
        call = s["call"]
        shape = " ".join(f"{axis}={n}" for axis, n in call["dims"].items())
        numbers = {k: float(s[k]) for k in ("median_s", "ideal_s", "delay_factor", "flops",
                                            "bytes_read", "bytes_written")}
        one = Sample(op=str(call["op"]), shape=shape, dtype=str(call["dtype"]),
                     implementation=str(call["implementation"]), median_s=numbers["median_s"],
                     ideal_s=numbers["ideal_s"], delay_factor=numbers["delay_factor"],
                     bound=str(s["bound"]), flops=numbers["flops"],
                     bytes=numbers["bytes_read"] + numbers["bytes_written"])
    except KeyError as e:
        raise BadInput(f"{path}: key '{at}.{e.args[0]}' is missing; {_REMAKE}") from e
    except (TypeError, ValueError, AttributeError) as e:
        raise BadInput(f"{path}: key '{at}': {e}; {_REMAKE}") from e
    if not one.median_s > 0:
        raise BadInput(f"{path}: key '{at}.median_s' must be positive; {_REMAKE}")
    return one
