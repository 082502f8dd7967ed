"""What `predict validate` writes of measured rows."""
import csv
import pathlib
from dataclasses import dataclass

TIMES = ("ttft", "tpot", "total")
FULL_CACHE = 0.95  # of kv_need_over_free: beyond, the engine queues


@dataclass(frozen=True)
class Error:
    relative: float  # predicted / measured − 1
    inside: bool  # whether the 80 % interval holds the measured time


@dataclass(frozen=True)
class Row:
    gpu: str
    gpus: int
    pipeline: int
    framework: str
    full: bool
    errors: dict[str, Error]  # by time, of those that were measured


def read(file: pathlib.Path) -> list[Row]:
    rows = []
    with file.open(encoding="utf-8", newline="") as text:
        for r in csv.DictReader(text):
            notes = dict(n.split("=", 1) for n in r["notes"].split(";") if "=" in n)
            errors = {}
            for time in TIMES:
                predicted = float(r[f"predicted_{time}_ms"] or 0)
                if not r[f"measured_{time}_ms"] or predicted <= 0:
                    continue
                measured = float(r[f"measured_{time}_ms"])
                errors[time] = Error(predicted / measured - 1,
                                     float(r[f"predicted_{time}_ms_low"]) <= measured
                                     <= float(r[f"predicted_{time}_ms_high"]))
            rows.append(Row(r["gpu"], int(r["gpus"]), int(r["pp"]), r["framework"],
                            float(notes.get("kv_need_over_free", 0)) >= FULL_CACHE, errors))
    return rows
