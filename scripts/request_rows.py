"""Rows of measured requests, as `predict validate --csv` and `predict fit-engine --csv` take them
(docs/file-formats.md), and the models that they are of. Needs only Python's standard library."""
import csv
import io
import json
import math
import os
import pathlib
from dataclasses import dataclass, field

COLUMNS = ("source", "gpu", "gpus", "pp", "framework", "model", "dtype", "input_tokens",
           "output_tokens", "batch", "measured_ttft_ms", "measured_tpot_ms", "measured_total_ms",
           "repeats", "notes")
BUNDLED = pathlib.Path(__file__).resolve().parents[1] / "predictor" / "models" / "bundled"


class BadInput(Exception):
    """What is wrong, where, and what to do."""


@dataclass(frozen=True)
class Row:
    """One configuration on one GPU: a static batch of `batch` prompts of `input` tokens, each of
    which gets `output`. Every sample is kept; the row has their medians."""
    gpu: str
    model: str
    dtype: str
    input: int
    output: int
    batch: int
    ttft_s: tuple[float, ...]
    tpot_s: tuple[float, ...]  # mean of a repeat's steps behind the first token
    total_s: tuple[float, ...]
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in ("ttft_s", "tpot_s", "total_s"):
            samples = getattr(self, name)
            if len(samples) != len(self.ttft_s) or not samples:
                raise ValueError(f"{name}: want as many samples as there were repeats, not none")
            if not all(math.isfinite(s) and s > 0 for s in samples):
                raise ValueError(f"{name}: {samples} are not all above 0")
        for text in (self.gpu, self.model, *self.notes):
            if any(c in text for c in ',;"\n\r'):
                raise ValueError(f"{text!r}: a name or note has no comma, semicolon, quote or line end")

    def cells(self, source: str, framework: str) -> list[str]:
        times = [f"{median(s) * 1e3:.6g}" for s in (self.ttft_s, self.tpot_s, self.total_s)]
        return [source, self.gpu, "1", "1", framework, self.model, self.dtype, str(self.input),
                str(self.output), str(self.batch), *times, str(len(self.ttft_s)),
                ";".join(self.notes)]

    def samples(self) -> dict[str, object]:
        return {"model": self.model, "input_tokens": self.input, "batch": self.batch,
                "ttft_s": list(self.ttft_s), "tpot_s": list(self.tpot_s),
                "total_s": list(self.total_s)}


def median(samples: tuple[float, ...]) -> float:
    ordered, middle = sorted(samples), len(samples) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def text_of(rows: list[Row], source: str, framework: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(r.cells(source, framework) for r in rows)
    return text.getvalue()


def write(path: pathlib.Path, text: str) -> None:
    """To a temporary name first: whoever reads `path` never finds half of it."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as e:
        temporary.unlink(missing_ok=True)
        raise BadInput(f"{path}: cannot be written: {e.strerror}; name another file with --csv") from e


def whole_numbers(flag: str, text: str) -> list[int]:
    """"128,512": each from 1 on, once."""
    found = text.split(",")
    if not all(f.isdecimal() and 0 < int(f) < 10**7 for f in found) or len(set(found)) < len(found):
        raise BadInput(f"{flag} {text}: want whole numbers from 1 on, each once, such as 128,512")
    return [int(f) for f in found]


def config_of(model: str) -> dict[str, object]:
    """The config.json of a bundled model, or at a path."""
    path = pathlib.Path(model)
    if not path.suffix == ".json":
        path = BUNDLED / f"{model}.json"
        if not path.exists():
            known = ", ".join(sorted(p.stem for p in BUNDLED.glob("*.json")))
            raise BadInput(f"model '{model}' is not bundled; name a config.json, or one of {known}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not config["num_hidden_layers"] > 0 or not config["model_type"]:
            raise ValueError("num_hidden_layers or model_type is not one")
        return config
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    except (ValueError, KeyError, TypeError) as e:
        raise BadInput(f"{path}: is no config.json of a model: {e!r}") from e


def shortened(config: dict[str, object], layers: int, model: str,
              csv_path: pathlib.Path) -> tuple[dict[str, object], str]:
    """The model with fewer layers, and the file beside the CSV that predict reads it from: a row of
    four layers is not one of the whole model."""
    made = {**config, "num_hidden_layers": layers}
    stem = pathlib.Path(model).name.removesuffix(".json")
    path = csv_path.resolve().with_name(f"{csv_path.stem}.{stem}-{layers}-layers.json")
    write(path, json.dumps(made, indent=1) + "\n")
    return made, str(path)
