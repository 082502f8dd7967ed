"""Ceilings and a table of the "Fake 9000", a device that does not exist: every number here is made
up by a formula, to see charts drawn. Nothing was measured.

    fake_9000.py FOLDER    # writes ceilings.json and delay_factors.json there
"""
import json
import math
import pathlib
import sys
from typing import Any, Callable

DEVICE = "Fake 9000"
KIB, MIB, GIB = 2**10, 2**20, 2**30
UNITS = 100
L1, L2 = UNITS * 192 * KIB, 48 * MIB
READ = {"l1": 24e12, "l2": 7.5e12, "dram": 4.1e12}
DIRECTIONS = {"read": 1.0, "write": 0.93, "copy": 0.88, "scale": 0.87, "triad": 0.90}
PEAKS = {"matrix.f8e4m3": 1.62e15, "matrix.int8": 1.58e15, "matrix.f16": 8.1e14,
         "matrix.bf16": 7.95e14, "matrix.tf32": 4.0e14, "vector.f16": 1.18e14,
         "vector.f32": 6.0e13}
LATENCY = {"l1": 18e-9, "l2": 130e-9, "dram": 480e-9}
LAUNCH_S = 2.1e-6
METHOD = "made up"


def value(amount: float, unit: str, of: float | None = None) -> dict[str, Any]:
    verdict = "unknown" if of is None else "inside" if 0.6 <= of <= 1.02 else "outside"
    return {"value": amount, "unit": unit, "method": METHOD, "spread": 0.012, "of_datasheet": of,
            "clock_hz": None, "of_clock": None,
            "verdict": verdict}


def powers(low: float, high: float, per_octave: int = 1) -> list[float]:
    steps = round(math.log2(high / low) * per_octave)
    return [float(round(low * 2 ** (i / per_octave))) for i in range(steps + 1)]


def fade(x: float, edge: float, sharp: float = 5) -> float:
    """1 well below the edge, 0 well above it."""
    return 1 / (1 + (x / edge) ** sharp)


def wobble(x: float) -> float:
    """Within 2 %, the same every time."""
    return 1 + 0.02 * math.sin(12.9898 * math.log(x + 1) + 78.233)


def by_level(x: float, of: dict[str, float], l1: float = L1, l2: float = L2) -> float:
    near, mid = fade(x, l1), fade(x, l2)
    seconds = near / of["l1"] + (1 - near) * mid / of["l2"] + (1 - near) * (1 - mid) / of["dram"]
    return wobble(x) / seconds


def sweep(key: str, xs: list[float], y: Callable[[float], float]) -> dict[str, Any]:
    unit = "s" if key.split(".")[0] in ("latency", "tlb", "copy_size", "staircase") else "rate"
    return {"key": key, "method": METHOD, "x": {"name": "x", "unit": ""},
            "y": {"name": "y", "unit": unit}, "points": [[x, y(x)] for x in xs]}


def mixed(share: float) -> float:
    """Turning the bus costs most where reads and writes are half and half."""
    read, write = READ["dram"], 0.93 * READ["dram"]
    return 1 / ((share / read + (1 - share) / write) * (1 + 0.9 * share * (1 - share)))


def latency(x: float, pages: float) -> float:
    far = 1 - fade(x, pages, 3)
    near, mid = fade(x, 192 * KIB), fade(x, L2)
    plain = near * LATENCY["l1"] + (1 - near) * mid * LATENCY["l2"] + (1 - mid) * LATENCY["dram"]
    return (plain + far * 260e-9) * wobble(x)


def staircase(x: float, tile: int, wave_tiles: int) -> float:
    tiles = math.ceil(x / tile)
    return 6e-6 + 21e-6 * math.ceil(tiles / wave_tiles) + 0.25e-6 * tiles


def sweeps() -> list[dict[str, Any]]:
    found = []
    spans = powers(64 * KIB, 2 * GIB, 2)
    for direction, share in DIRECTIONS.items():
        rates = {level: r * share for level, r in READ.items()}
        found.append(sweep(f"working_set.{direction}", spans, lambda x, r=rates: by_level(x, r)))
        found.append(sweep(f"working_set_unit.{direction}", powers(4 * KIB, 16 * MIB, 2),
                           lambda x, r=rates: by_level(x * UNITS, r) * 0.97))
    found.append(sweep("stride.read", powers(1, 256), lambda x: READ["dram"] / min(x, 16) ** 0.97))
    granules = powers(4, 4 * KIB)
    found.append(sweep("gather.read", granules, lambda x: READ["dram"] * x / (x + 90)))
    found.append(sweep("scatter.write", granules, lambda x: READ["dram"] * 0.8 * x / (x + 160)))
    found.append(sweep("mix", [i / 12 for i in range(13)], mixed))
    found.append(sweep("burst", powers(16 * KIB, 64 * MIB),
                       lambda x: mixed(0.5) * 1.15 * x / (x + 60 * KIB)))
    found.append(sweep("latency", powers(4 * KIB, 2 * GIB, 2), lambda x: latency(x, 1e18)))
    found.append(sweep("tlb", powers(2 * MIB, 64 * GIB), lambda x: latency(x, 8 * GIB)))
    for pipe, width in (("vector.f32", 4), ("matrix.bf16", 2)):
        for threads in (1, 2, 4, 8, 16):
            found.append(sweep(f"parallelism.{pipe}.threads_{threads}", [1, 2, 3, 4, 6, 8],
                               lambda x, p=pipe, t=threads, w=width:
                               PEAKS[p] * min(1, x * t / (4 * w)) * 0.99))
    found.append(sweep("staircase.m", [float(x) for x in range(64, 4097, 64)],
                       lambda x: staircase(x, 128, 10)))
    found.append(sweep("staircase.n", [float(x) for x in range(64, 8193, 64)],
                       lambda x: staircase(x, 256, 8)))
    found.append(sweep("copy_size", powers(256, 256 * MIB),
                       lambda x: (2.4e-6 + x / 1.9e12) * wobble(x)))
    for way in ("to_device", "from_device"):
        for memory, rate in (("pinned", 52e9), ("pageable", 9e9)):
            rate *= 1.2 if way == "to_device" else 0.9
            found.append(sweep(f"host_copy.{way}.{memory}", powers(4 * KIB, 256 * MIB),
                               lambda x, r=rate: r * x / (x + 300 * KIB)))
    for pipe, drop in (("matrix.bf16", 0.22), ("vector.f32", 0.06)):
        found.append(sweep(f"sustained.{pipe}", [i * 0.5 for i in range(61)],
                           lambda x, p=pipe, d=drop:
                           PEAKS[p] * (1 - d * (1 - math.exp(-x / 6))) * wobble(x * 40)))
    return found


def values() -> dict[str, Any]:
    found = {f"{level}.{d}": value(rate * share, "byte/s",
                                   rate * share / 4.8e12 if level == "dram" else None)
             for level, rate in READ.items() for d, share in DIRECTIONS.items()}
    found |= {pipe: value(peak, "flop/s", 0.82) for pipe, peak in PEAKS.items()}
    found |= {f"latency.{level}": value(s, "s") for level, s in LATENCY.items()}
    found |= {"matrix.bf16.sustained": value(PEAKS["matrix.bf16"] * 0.78, "flop/s", 0.64),
              "vector.f32.sustained": value(PEAKS["vector.f32"] * 0.94, "flop/s", 0.77),
              "vector.f32.one_thread": value(6.1e10, "flop/s"),
              "dram.mix_3:1": value(mixed(0.75), "byte/s", 0.55),
              "dram.mix_1:1": value(mixed(0.5), "byte/s", 0.52),
              "launch.stream": value(LAUNCH_S, "s"), "launch.graph": value(1.2e-6, "s")}
    return found


def ceilings() -> dict[str, Any]:
    return {"schema_version": 2, "device": DEVICE,
            "provenance": {"driver": "none: a device that does not exist", "clock": "made up",
                           "units": str(UNITS)},
            "values": values(),
            "levels": [{"name": "l1", "bytes": L1, "per_unit": True, "lasting": False, "method": METHOD},
                       {"name": "l2", "bytes": L2, "per_unit": False, "lasting": True, "method": METHOD}],
            "sweeps": sweeps(),
            "staircases": [{"sweep": "staircase.m", "tile": 128, "wave": 1280, "wave_tiles": 10},
                           {"sweep": "staircase.n", "tile": 256, "wave": 2048, "wave_tiles": 8}],
            "ridge_points": [], "notes": ["every number of this file is made up"]}


def call(op: str, dims: dict[str, int], flops: float, read: float, written: float, pipe: str,
         dtype: str = "bf16") -> dict[str, Any]:
    moved, worked = (read + written) / READ["dram"], flops / PEAKS[pipe]
    ideal = max(moved, worked)
    delay = 1.15 + 0.5 * abs(math.sin(flops))
    bound = "launch" if LAUNCH_S > ideal else "dram" if moved > worked else "compute"
    median = LAUNCH_S + ideal * delay
    return {"op": op, "dims": dims, "dtype": dtype, "median_s": median, "flops": flops,
            "bytes_read": read, "bytes_written": written, "delay_factor": median / ideal,
            "bound": bound}


def samples() -> list[dict[str, Any]]:
    found = []
    sizes = [2**i for i in range(4, 14)]
    for m in sizes:
        for n in (1024, 4096, 8192):
            found.append(call("gemm", {"m": m, "n": n, "k": 4096}, 2.0 * m * n * 4096,
                              2.0 * 4096 * (m + n), 2.0 * m * n, "matrix.bf16"))
        for op, passes in (("bmm", 1), ("swiglu", 4), ("lstm", 3), ("conv2d", 9)):
            found.append(call(op, {"m": m}, 2.0 * m**2 * 64 * passes, 2.0 * m * (64 + m),
                              2.0 * m, "matrix.bf16"))
        found.append(call("attention_prefill", {"tokens": m}, 4.0 * m * m * 128 * 32,
                          2.0 * 3 * m * 128 * 32, 2.0 * m * 128 * 32, "matrix.bf16"))
        found.append(call("attention_decode", {"context": m}, 4.0 * m * 128 * 32 * 16,
                          4.0 * m * 128 * 8 * 16, 2.0 * 128 * 32 * 16, "matrix.bf16"))
        for i, op in enumerate(("rmsnorm", "layernorm", "add_rmsnorm", "softmax", "rope", "add",
                                "mul", "silu", "gelu", "silu_mul", "argmax")):
            elements = 4096.0 * m
            found.append(call(op, {"rows": m, "cols": 4096}, elements * (1 + 0.7 * i),
                              elements * 2, elements * 2, "vector.f32"))
        for op in ("copy", "embedding", "kv_cache_write"):
            found.append(call(op, {"rows": m}, 0.0, 8192.0 * m, 8192.0 * m, "vector.f32"))
    return found


def groups(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By columns, as tables have them."""
    bounds = ["compute", "dram", "launch"]
    made = []
    for op, dtype in dict.fromkeys((c["op"], c["dtype"]) for c in calls):
        rows = [c for c in calls if (c["op"], c["dtype"]) == (op, dtype)]
        columns = {k: [c[k] for c in rows] for k in (
            "median_s", "delay_factor", "flops", "bytes_read", "bytes_written")}
        made.append({"op": op, "dtype": dtype, "implementation": "made_up", "method": "graph",
                     "dims": {a: [c["dims"][a] for c in rows] for a in rows[0]["dims"]},
                     "bounds": bounds, "bound": [bounds.index(c["bound"]) for c in rows],
                     **columns})
    return made


def table() -> dict[str, Any]:
    return {"schema_version": 3, "device": {"name": DEVICE}, "method": "graph",
            "samples": groups(samples())}


def write(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ceilings.json").write_text(json.dumps(ceilings()), encoding="utf-8")
    (folder / "delay_factors.json").write_text(json.dumps(table()), encoding="utf-8")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
