"""ceilings.json as the charts use it: the schema's word on what is in it, versions 1 and 2."""
import json
import math
import pathlib
import re
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from .errors import BadInput, read_json

SCHEMA = pathlib.Path(__file__).parent.parent / "schema" / "ceilings.schema.json"
VERSION = 2
LEVELS = ("l1", "l2", "l3", "dram")  # nearest first
DIRECTIONS = ("read", "write", "copy", "scale", "triad")
_REMAKE = "measure again with `roofline`"


@dataclass(frozen=True)
class Ceiling:
    value: float
    unit: str
    method: str = ""
    spread: float = 0
    of_datasheet: float | None = None
    verdict: str = "unknown"


@dataclass(frozen=True)
class Level:
    name: str
    bytes: float
    per_unit: bool


@dataclass(frozen=True)
class Sweep:
    key: str
    method: str
    points: tuple[tuple[float, float], ...]  # ascending x


@dataclass(frozen=True)
class Staircase:
    sweep: str
    tile: float
    wave: float
    wave_tiles: float


@dataclass(frozen=True)
class Ceilings:
    path: pathlib.Path
    device: str
    values: dict[str, Ceiling]
    levels: tuple[Level, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    staircases: tuple[Staircase, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: dict[str, str] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """Multiprocessors or cores; 0 where the file does not tell."""
        told = self.provenance.get("units", "")
        return int(told) if told.isdecimal() else 0

    def value(self, key: str) -> float | None:
        found = self.values.get(key)
        return found.value if found else None

    def sweep(self, key: str) -> Sweep | None:
        return next((s for s in self.sweeps if s.key == key), None)

    def sweeps_of(self, prefix: str) -> list[Sweep]:
        """Those whose key begins with `prefix` and a dot."""
        return [s for s in self.sweeps if s.key.startswith(prefix + ".")]

    def pipes(self) -> dict[str, Ceiling]:
        """The best of each pipe and dtype: "matrix.bf16", without "matrix.bf16.gemm"."""
        return {k: v for k, v in self.values.items()
                if re.fullmatch(r"(matrix|vector)\.[^.]+", k) and v.unit == "flop/s"}

    def read_levels(self) -> list[tuple[str, Ceiling]]:
        """Levels with a measured bandwidth of reads, nearest first."""
        return [(n, self.values[f"{n}.read"]) for n in LEVELS if f"{n}.read" in self.values]


def level_title(name: str) -> str:
    return name.upper()


def load(path: pathlib.Path) -> Ceilings:
    """Raises BadInput that names the file and the key."""
    found = read_json(path, _REMAKE)
    if not isinstance(found, dict):
        raise BadInput(f"{path}: not a ceilings file but a bare value; {_REMAKE}")
    if "samples" in found and "ceilings" in found:
        raise BadInput(f"{path}: a delay-factor table, not ceilings; give the ceilings.json beside "
                       "it, and the table with --table")
    if found.get("schema_version", 1) not in (1, VERSION):
        raise BadInput(f"{path}: schema_version {found['schema_version']} is not known here (this "
                       f"program knows 1 and {VERSION}); {_REMAKE}")
    found = _as_version_2(found)
    _check(path, found)
    return Ceilings(
        path=path, device=found["device"],
        values={k: _ceiling(v) for k, v in found["values"].items()},
        levels=tuple(sorted((Level(v["name"], v["bytes"], v["per_unit"]) for v in found["levels"]),
                            key=lambda level: level.bytes)),
        sweeps=tuple(_sweep(s) for s in found.get("sweeps", [])),
        staircases=tuple(Staircase(s["sweep"], s["tile"], s["wave"], s["wave_tiles"])
                         for s in found["staircases"]),
        notes=tuple(found.get("notes", [])), provenance=found["provenance"])


def _as_version_2(found: dict[str, Any]) -> dict[str, Any]:
    """Version 1 has device, provenance and values only."""
    if "schema_version" in found:
        return found
    values = found.get("values")
    if isinstance(values, dict):
        values = {k: {"of_datasheet": None, "clock_hz": None, "of_clock": None,
                      "verdict": "unknown", **v} if isinstance(v, dict) else v
                  for k, v in values.items()}
    newer = {**found, "schema_version": VERSION, "levels": [], "staircases": [], "sweeps": []}
    return {**newer, "values": values} if "values" in found else newer


def _check(path: pathlib.Path, found: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wrong = next(iter(sorted(jsonschema.Draft7Validator(schema).iter_errors(found),
                             key=lambda e: len(e.absolute_path), reverse=True)), None)
    if wrong is None:
        return
    at = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in wrong.absolute_path)
    message = wrong.message if len(wrong.message) < 200 else wrong.message[:200] + " …"
    where = f"key '{at.lstrip('.')}': " if at else ""
    raise BadInput(f"{path}: {where}{message}; {_REMAKE}")


def _ceiling(v: dict[str, Any]) -> Ceiling:
    return Ceiling(v["value"], v["unit"], v["method"], v["spread"], v["of_datasheet"], v["verdict"])


def _sweep(s: dict[str, Any]) -> Sweep:
    """Nothing has a rate of zero: such a point is a failure to measure, and has no logarithm."""
    points = sorted((float(x), float(y)) for x, y in s["points"]
                    if y > 0 and math.isfinite(x) and math.isfinite(y))
    return Sweep(s["key"], s["method"], tuple(points))
