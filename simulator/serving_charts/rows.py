"""What simulate --requests-csv, --series-csv and sweep --out wrote, as the charts use it."""
import csv
import json
import pathlib
from typing import Any

from charts.errors import BadInput

SHOWN = 400  # points of a curve: more cannot be told apart


def table(path: pathlib.Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}") from error
    for column in columns:
        if not found or column not in found[0]:
            raise BadInput(f"{path}: no column {column}, or no rows; write it with simulate")
    return found


def quantiles(values: list[float]) -> list[tuple[float, float]]:
    """(value, share of values at or below it), evenly chosen."""
    ordered = sorted(values)
    count = min(SHOWN, len(ordered))
    ranks = [round(i * (len(ordered) - 1) / max(1, count - 1)) for i in range(count)]
    return [(ordered[r], (r + 1) / len(ordered)) for r in ranks]


def latencies(requests: list[dict[str, str]]) -> dict[str, list[float]]:
    """In seconds, of requests that ended."""
    found: dict[str, list[float]] = {"time to first token": [], "whole request": []}
    for r in requests:
        if not r["finish_s"]:
            continue
        arrival = float(r["arrival_s"])
        found["time to first token"].append(float(r["first_token_s"]) - arrival)
        found["whole request"].append(float(r["finish_s"]) - arrival)
    if not found["whole request"]:
        raise BadInput("no request ended: there are no latencies to draw")
    return found


def sweep(path: pathlib.Path) -> list[dict[str, Any]]:
    """Points that ran: tokens/s a GPU, TPOT in ms, what varied, and whether another beats them."""
    points = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("summary") and row["summary"]["tpot_s"]:
                points.append({
                    "tokens": row["summary"]["output_tokens_per_s_gpu"],
                    "tpot_ms": row["summary"]["tpot_s"]["p50"] * 1e3,
                    "point": ", ".join(f"{k.split('.')[-1]} {v}" for k, v in row["point"].items())})
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadInput(f"{path}: not what simulate sweep wrote: {error}") from error
    if not points:
        raise BadInput(f"{path}: no point of it ran")
    for p in points:
        p["beaten"] = any(q["tokens"] >= p["tokens"] and q["tpot_ms"] <= p["tpot_ms"] and
                          (q["tokens"], q["tpot_ms"]) != (p["tokens"], p["tpot_ms"])
                          for q in points)
    return points
