"""benchmark_results.json, as speed_benchmark writes it."""
import json
import pathlib
from dataclasses import dataclass

from charts.errors import BadInput


@dataclass(frozen=True)
class Predicted:
    """Seconds, and their 80 % interval."""
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Batch:
    """One batch size of the sweep."""
    size: int
    tpot_s: float
    total_s: float
    tokens: int  # generated, of the batch
    tpot: Predicted | None
    total: Predicted | None


@dataclass(frozen=True)
class Sweep:
    model: str
    device: str
    dtype: str
    prompt: int
    output: int
    batches: list[Batch]


def _predicted(found: dict[str, object] | None) -> Predicted | None:
    return Predicted(**found["predicted_s"]) if found else None


def load(path: pathlib.Path) -> Sweep:
    try:
        told = json.loads(path.read_text("utf-8"))
        known = {v["batch"]: v for v in told["sweep_validation"]}
        batches = [Batch(t["batch"], t["tpot_s"]["median"], t["time_s"],
                         t["batch"] * t["generated_tokens"],
                         _predicted(known.get(t["batch"], {}).get("tpot")),
                         _predicted(known.get(t["batch"], {}).get("total")))
                   for t in told["sweep"]]
        if not batches:
            raise BadInput(f"{path}: has no sweep; run speed_benchmark with --sweep")
        first = told["sweep"][0]
        return Sweep(told["model"]["name"], told["device"]["name"], told["dtype"],
                     first["prompt_length"], first["generated_tokens"], batches)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    except (ValueError, KeyError, TypeError) as e:
        raise BadInput(f"{path}: is no benchmark_results.json of speed_benchmark: {e!r}") from e
