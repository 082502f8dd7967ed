"""Work of a published row, as the stock regressor is told of it: the formulas of kernels/."""
import json
import math
import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from .cases import Row

_BYTES = {"bf16": 2, "fp32": 4}
_DTYPES = {"bf16": "bf16", "fp32": "f32"}
# Tensors that element-wise operators read beside the one that they write.
_READS = {"add": 2, "div": 2, "mul": 2, "pow": 2}
_TILE = 128


@dataclass(frozen=True)
class Work:
    flops: float
    values: float  # elements read and written
    tiles: float  # of 128 x 128 of the result


def _product(b: int, m: int, n: int, k: int) -> Work:
    return Work(2.0 * b * m * n * k, float(b) * (m * k + n * k + m * n),
                float(b) * math.ceil(m / _TILE) * math.ceil(n / _TILE))


def _attention(queries: int, keys: int, share: float, d: dict[str, int]) -> Work:
    rows = d["batch"] * d["heads"] * queries
    read = 2.0 * d["batch"] * d["kv_heads"] * keys + 2.0 * rows
    return Work(4.0 * rows * keys * share * d["head_dim"], read * d["head_dim"],
                float(d["batch"]) * d["heads"] * math.ceil(queries / _TILE))


def _conv(d: dict[str, int]) -> Work:
    out = (d["in_size"] + 2 * d["padding"] - d["kernel"]) // d["stride"] + 1
    m, k = d["b"] * out * out, d["in_ch"] * d["kernel"] ** 2
    values = d["b"] * d["in_ch"] * d["in_size"] ** 2 + d["out_ch"] * (k + m)
    return Work(2.0 * m * k * d["out_ch"], float(values),
                float(math.ceil(m / _TILE) * math.ceil(d["out_ch"] / _TILE)))


def _rows(op: str, d: dict[str, int]) -> Work:
    values = float(d["rows"] * d["cols"])
    return Work(values, (1 + _READS.get(op, 1)) * values, values / _TILE**2)


_WORK: dict[str, Callable[[dict[str, int]], Work]] = {
    "gemm": lambda d: _product(1, d["m"], d["n"], d["k"]),
    "bmm": lambda d: _product(d["b"], d["m"], d["n"], d["k"]),
    "attention_prefill": lambda d: _attention(d["seq"], d["seq"], 0.5, d),
    "attention_decode": lambda d: _attention(1, d["context"], 1.0, d),
    "conv2d": _conv,
}


@dataclass(frozen=True)
class Device:
    units: int
    flops_per_s: dict[str, float]
    bytes_per_s: float

    def features(self, row: Row, axes: tuple[str, ...]) -> tuple[list[float], float]:
        """What a regressor is given of a row, and the ideal time that it is asked a multiple of."""
        d = {a: int(row[a]) for a in axes}
        work = _WORK[row["op"]](d) if row["op"] in _WORK else _rows(row["op"], d)
        pipe = "matrix" if row["op"] in _WORK else "vector"
        peak = self.flops_per_s[f"{pipe}.{_DTYPES[row['dtype']]}"]
        compute_s = work.flops / peak
        memory_s = work.values * _BYTES[row["dtype"]] / self.bytes_per_s
        ideal_s = max(compute_s, memory_s)
        waves = work.tiles / self.units
        logs = [math.log1p(v) for v in d.values()]
        return [*logs, math.log(compute_s), math.log(memory_s), math.log(ideal_s), math.log(waves),
                math.ceil(waves), math.ceil(waves) / waves], ideal_s


def device(gpu: str, devices: pathlib.Path) -> Device:
    for path in sorted(devices.glob("*.json")):
        sheet = json.loads(path.read_text(encoding="utf-8"))
        if gpu in (sheet["name"], *sheet["aliases"]):
            return Device(sheet["sm_count"], sheet["peak_flops_per_s"],
                          sheet["memory_bandwidth_bytes_per_s"])
    raise KeyError(f"{gpu}: no datasheet in {devices}")
