"""The first generation's latency predictor, on top of ridgepoint: code written for it runs on.

    from llm_latency_predictor import LLMLatencyPredictor

    predictor = LLMLatencyPredictor()
    result = predictor.predict_latency("LLaMA_3.2_1B", "T4", 512, 100)
    print(f"Total latency: {result.total_ms:.1f}ms")

New code had better use ridgepoint itself: it knows engines, tensor parallelism, quantisation, mixed
prompts and memory.
"""

from __future__ import annotations

import dataclasses
import math
import os
import statistics
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ridgepoint
from ridgepoint import BadInput
from ridgepoint._shortcuts import is_model_file
from ridgepoint.fine_tuning import FineTuning, gpu_named, split_key

__all__ = ["BadInput", "LLMLatencyPredictor", "LatencyResult"]


@dataclasses.dataclass
class LatencyResult:
    """Times in milliseconds; total_low_ms … total_high_ms hold about 80 % of measurements."""

    model: str
    gpu: str
    input_length: int
    output_length: int
    batch_size: int
    total_ms: float
    total_low_ms: float
    total_high_ms: float
    prefill_ms: float  # until the first token
    decode_ms: float  # all later tokens
    decode_per_token_ms: float  # their mean; 0 with one token out
    tokens_per_second: float  # output tokens of the batch over total_ms

    source: dataclasses.InitVar[tuple[ridgepoint.RequestPrediction, ridgepoint.Memory]]

    def __post_init__(
        self, source: tuple[ridgepoint.RequestPrediction, ridgepoint.Memory]
    ) -> None:
        """What is no field: all of the prediction, and the memory that it needs."""
        self.prediction, self.memory = source

    def to_dict(self) -> dict[str, Any]:
        """The twelve fields."""
        return dataclasses.asdict(self)

    @property
    def ttft_ms(self) -> float:
        return self.prefill_ms

    @property
    def prefill_breakdown_ms(self) -> dict[str, float]:
        """By role in the forward pass: 'qkv', 'gate_up', 'prefill_attention', …"""
        return _breakdown(self.prediction.prefill)

    @property
    def decode_breakdown_ms(self) -> dict[str, float]:
        """Of the mean decode step, by role."""
        return _breakdown(self.prediction.decode)

    @property
    def bottleneck(self) -> str:
        """What most of the total time is bound by: 'compute', 'dram', 'launch', 'host', …"""
        steps = max(self.output_length - 1, 0)
        seconds = dict(self.prediction.prefill.bound_s)
        for bound, s in self.prediction.decode.bound_s.items():
            seconds[bound] = seconds.get(bound, 0) + s * steps
        return max(seconds, key=seconds.__getitem__)

    @property
    def memory_gb(self) -> float:
        return self.memory.total / 1e9

    @property
    def fits(self) -> bool:
        """Whether the GPU's memory holds it; the times are what they would be if it did."""
        return self.memory.fits

    @property
    def notes(self) -> list[str]:
        """What stands on less than a measurement."""
        return self.prediction.notes


def _breakdown(phase: ridgepoint.Phase) -> dict[str, float]:
    parts: dict[str, float] = {}
    for r in phase.roles:
        parts[r.role] = parts.get(r.role, 0) + r.seconds * 1e3
    if phase.host_s > 0:
        parts["host"] = phase.host_s * 1e3
    return parts


def _one_of(case: Mapping[str, Any], *names: str, default: Any = None) -> Any:
    for name in names:
        if name in case:
            return case[name]
    if default is None:
        raise BadInput(f"no '{names[0]}' in {dict(case)}")
    return default


class LLMLatencyPredictor:
    """Latency of a model on a GPU, from the delay-factor tables that ship.

    `tables` replaces those of a GPU by your own files, `calibrate`'s or first-generation ones:
    {"T4": ["T4_DF_memory_corrected.json"]}. `engine` adds an engine's own cost to the kernels'
    ("vllm", "sglang", "tensorrt-llm", "transformers"; "kernels": nothing).
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[str | os.PathLike[str]]] | None = None,
        engine: str = "kernels",
    ) -> None:
        self.engine = ridgepoint.find_engine(engine)
        self.fine_tuning = FineTuning()
        self._files = {gpu_named(gpu): list(files) for gpu, files in (tables or {}).items()}
        self._tables: dict[str, ridgepoint.TableSet] = {}  # as read
        self._tuned: dict[str, ridgepoint.TableSet] = {}
        self._models: dict[str, ridgepoint.Model] = {}  # that ship

    @property
    def supported_models(self) -> list[str]:
        """Names of bundled models; their aliases and the paths of config.json files do, too."""
        return ridgepoint.bundled_models()

    @property
    def supported_gpus(self) -> list[str]:
        return sorted({*ridgepoint.gpus_with_tables(), *self._files})

    def predict_latency(
        self,
        model: str | Mapping[str, Any] | ridgepoint.Model,
        gpu: str,
        input_length: int,
        output_length: int,
        batch_size: int = 1,
    ) -> LatencyResult:
        """Of `batch_size` prompts of `input_length` tokens that get `output_length` tokens each.

        `model` is a name or alias ('LLaMA_3.2_1B'), the path of a config.json, its keys, or a
        ridgepoint.Model. Raises BadInput, a ValueError, for what is unknown or makes no request."""
        name = gpu_named(gpu)
        deployment = self._deployment(self._model(model), name)
        request = ridgepoint.Request(
            [ridgepoint.Prompt(input_length, batch_size)], output_length
        )
        tables = self._tables_of(name)
        p = ridgepoint.predict_request(tables, deployment, request)
        return LatencyResult(
            model=deployment.model.name,
            gpu=name,
            input_length=input_length,
            output_length=output_length,
            batch_size=batch_size,
            total_ms=p.total_s.value * 1e3,
            total_low_ms=p.total_s.low * 1e3,
            total_high_ms=p.total_s.high * 1e3,
            prefill_ms=p.ttft_s.value * 1e3,
            decode_ms=(p.total_s.value - p.ttft_s.value) * 1e3,
            decode_per_token_ms=p.tpot_s.value * 1e3,
            tokens_per_second=p.output_tokens_per_s,
            source=(p, ridgepoint.memory_of(tables.device, deployment, request)),
        )

    def fine_tune_delay_factors(self, factors: Mapping[str, float]) -> None:
        """Multiplies operators' times: {'T4_Linear_GEMM': 0.8} makes them 20 % shorter on a T4, by
        whatever name that is asked for later.

        A key is a GPU and an operator, each by any of its names ('A100_80G_BMM', 'L40S_gemm').
        What a first-generation operator covered is multiplied: Linear_GEMM all matrix products, BMM
        and Grouped_Query_Attention attention. A key that is given again replaces its factor before,
        1.0 takes it away. Raises BadInput for a key that names nothing; then none acts. Warns of
        operators that are no kernels of their own in a step: softmax is in attention, for one."""
        self.fine_tuning.update(factors)
        self._tuned.clear()
        for key in factors:
            operator = split_key(key)[1]
            covered = ridgepoint.first_generation_operators(operator) or [operator]
            if not self._kernels().intersection(covered):
                warnings.warn(
                    f"{key}: no kernel of its own in a dense model's step, so it does not act there",
                    stacklevel=2,
                )

    def save_fine_tuning(self, path: str | os.PathLike[str]) -> None:
        """As JSON: {"T4": {"Linear_GEMM": 0.8}}."""
        self.fine_tuning.save(path)

    def load_fine_tuning(self, path: str | os.PathLike[str]) -> None:
        """Replaces all factors by those of a file."""
        self.fine_tuning = FineTuning.load(path)
        self._tuned.clear()

    def benchmark_prediction_accuracy(self, cases: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """How far predictions are from measurements.

        Each case has model, gpu, input_length, output_length, actual_ms (the measured total) and,
        unless it is 1, batch_size. The answer has `results` (a row a case, with predicted_ms,
        error_percent and within_interval), statistics of |predicted / actual - 1| in percent over
        them (None without any), and `rejected`: cases that cannot be predicted, with the reason."""
        results, rejected = [], []
        for case in cases:
            try:
                results.append(self._scored(case))
            except (BadInput, TypeError, ValueError) as error:
                rejected.append({"case": dict(case), "reason": str(error)})
        errors = [abs(r["error_percent"]) for r in results]
        ratios = [r["predicted_ms"] / r["actual_ms"] for r in results]
        return {
            "count": len(results),
            "mean_error_percent": statistics.fmean(errors) if errors else None,
            "median_error_percent": statistics.median(errors) if errors else None,
            "max_error_percent": max(errors, default=None),
            "bias_percent": (statistics.geometric_mean(ratios) - 1) * 100 if ratios else None,
            "within_interval": (
                statistics.fmean(r["within_interval"] for r in results) if results else None
            ),
            "results": results,
            "rejected": rejected,
        }

    def _kernels(self) -> set[str]:
        """Operators that a dense model's steps have."""
        model = ridgepoint.find_model("llama-3.2-1b")
        step = [ridgepoint.Sequences(tokens=16), ridgepoint.Sequences(tokens=1, past=16)]
        stages = ridgepoint.lower(model, step, fusion=self.engine.fusion)
        return {kernel.call.op for stage in stages for kernel in stage}

    def _scored(self, case: Mapping[str, Any]) -> dict[str, Any]:
        actual = float(_one_of(case, "actual_ms", "actual_total_ms", "measured_ms"))
        if not math.isfinite(actual) or actual <= 0:
            raise BadInput(f"actual_ms={actual} must be above 0")
        p = self.predict_latency(
            _one_of(case, "model", "model_name"),
            _one_of(case, "gpu", "gpu_name"),
            int(_one_of(case, "input_length", "input_tokens")),
            int(_one_of(case, "output_length", "output_tokens")),
            int(_one_of(case, "batch_size", default=1)),
        )
        return {
            **dict(case),
            "predicted_ms": p.total_ms,
            "actual_ms": actual,
            "error_percent": (p.total_ms / actual - 1) * 100,
            "within_interval": p.total_low_ms <= actual <= p.total_high_ms,
        }

    def _model(self, model: str | Mapping[str, Any] | ridgepoint.Model) -> ridgepoint.Model:
        if isinstance(model, ridgepoint.Model):
            return model
        if not isinstance(model, str):
            return ridgepoint.model_from_config(dict(model))
        if is_model_file(model):
            return ridgepoint.find_model(model)
        if model not in self._models:
            self._models[model] = ridgepoint.find_model(model)
        return self._models[model]

    def _deployment(self, model: ridgepoint.Model, gpu: str) -> ridgepoint.Deployment:
        dtype = ridgepoint.usual_dtype(model, gpu)
        return ridgepoint.Deployment(
            model, precision=ridgepoint.Precision(dtype), engine=self.engine
        )

    def _tables_of(self, gpu: str) -> ridgepoint.TableSet:
        if gpu not in self._tables:
            self._tables[gpu] = self._read(gpu)
        if gpu not in self._tuned:
            factors = self.fine_tuning.of(gpu)
            tables = self._tables[gpu]
            self._tuned[gpu] = tables.tuned(factors) if factors else tables
        return self._tuned[gpu]

    def _read(self, gpu: str) -> ridgepoint.TableSet:
        files = self._files.get(gpu)
        if files is None:
            return ridgepoint.shipped_tables(gpu, self.engine.framework)
        tables = ridgepoint.TableSet(files, self.engine.framework)
        if gpu_named(tables.device.name) != gpu:
            raise BadInput(f"{tables.files[0]}: is a table of {tables.device.name}, not of {gpu}")
        return tables
