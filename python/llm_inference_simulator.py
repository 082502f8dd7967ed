"""The first generation's serving simulator, on top of ridgepoint: code written for it runs on.

    from llm_inference_simulator import *

    config = SimulatorConfig(
        model_spec=ModelSpec(name="llama-7b", n_params=7_000_000_000, hidden_size=4096,
                             n_layers=32, n_heads=32, ffn_dim=11008),
        workload_spec=WorkloadSpec(avg_input_length=512, avg_output_length=128, arrival_rate=2.0),
        cluster_spec=ClusterSpec(n_gpus_per_node=1, n_nodes=1,
                                 gpu_spec=GPUSpec(name="A100-80GB")),
        parallelism_spec=ParallelismSpec(),
        scheduler_spec=SchedulerSpec(),
        simulation_duration_s=60.0)
    stats = LLMInferenceSimulator(config).run().compute_statistics()

New code had better call ridgepoint.simulate_serving(): it knows other schedulers, length
distributions, prefix caches, traces and disaggregation (docs/simulating.md).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import Any

import ridgepoint
from ridgepoint import BadInput, DoesNotFit

__all__ = [
    "BadInput",
    "ClusterSpec",
    "GPUSpec",
    "LLMInferenceSimulator",
    "ModelSpec",
    "ParallelismSpec",
    "SchedulerSpec",
    "SimulationResult",
    "SimulatorConfig",
    "WorkloadSpec",
]

_SCHEDULERS = {"static": "static", "dynamic": "dynamic", "continuous": "vllm_v1"}
_QUANTILES = ("mean", "p50", "p90", "p95", "p99", "max")


@dataclasses.dataclass
class ModelSpec:
    """A Llama-like model; its MLP is gated. `n_params` is not used but to check the sizes."""

    name: str = "llama-7b"
    n_params: int = 7_000_000_000
    hidden_size: int = 4096
    n_layers: int = 32
    n_heads: int = 32
    ffn_dim: int = 11008
    vocab_size: int = 32000
    n_kv_heads: int | None = None  # None: as many as heads


@dataclasses.dataclass
class WorkloadSpec:
    """Every request has these lengths. `batch_size`, where it is given, is the most sequences that
    run at once, as SchedulerSpec.max_batch_size is else."""

    avg_input_length: int = 512
    avg_output_length: int = 128
    arrival_rate: float = 1.0  # requests a second
    arrival_process: str = "poisson"  # or "deterministic"
    batch_size: int | None = None
    seed: int = 1


@dataclasses.dataclass
class GPUSpec:
    """A known name takes the tables of that GPU. One that is not takes its roofline, from all three
    numbers."""

    name: str = "A100-80GB"
    compute_tflops: float | None = None  # dense, 16 bit
    memory_size_gb: float | None = None
    memory_bandwidth_gbs: float | None = None


@dataclasses.dataclass
class ClusterSpec:
    n_gpus_per_node: int = 1
    n_nodes: int = 1
    gpu_spec: GPUSpec = dataclasses.field(default_factory=GPUSpec)


@dataclasses.dataclass
class ParallelismSpec:
    tensor_parallel_size: int = 1
    data_parallel_size: int = 1
    pipeline_parallel_size: int = 1


@dataclasses.dataclass
class SchedulerSpec:
    """"static": what waits, until the last of it has ended; "dynamic": the same, but a batch waits
    to be filled for 0.1 s; "continuous": vLLM's, which cuts prompts to a budget of tokens, or with
    token_level_scheduling=False Orca's, which computes whole ones."""

    batching_type: str = "continuous"
    max_batch_size: int = 256
    token_level_scheduling: bool = True


@dataclasses.dataclass
class SimulatorConfig:
    model_spec: ModelSpec = dataclasses.field(default_factory=ModelSpec)
    workload_spec: WorkloadSpec = dataclasses.field(default_factory=WorkloadSpec)
    cluster_spec: ClusterSpec = dataclasses.field(default_factory=ClusterSpec)
    parallelism_spec: ParallelismSpec = dataclasses.field(default_factory=ParallelismSpec)
    scheduler_spec: SchedulerSpec = dataclasses.field(default_factory=SchedulerSpec)
    simulation_duration_s: float = 60.0
    engine: str = "vllm"  # whose host costs are added to the kernels'; "kernels": nobody's


class SimulationResult:
    """What a run told. `summary` is that of ridgepoint.simulate_serving(), None where the model does
    not fit: then nothing ran."""

    def __init__(self, answer: dict[str, Any] | None, warnings: list[str], memory: list[str]):
        self.summary: dict[str, Any] | None = answer["summary"] if answer else None
        self._requests_csv: str = answer["requests_csv"] if answer else ""
        self._warnings = warnings
        self._memory = memory

    @property
    def requests(self) -> list[dict[str, str]]:
        """A row a request, times in seconds."""
        return list(csv.DictReader(io.StringIO(self._requests_csv)))

    def compute_statistics(self) -> dict[str, Any]:
        """Times in seconds; nan where nothing was completed. `gpu_utilization` is the share of the
        time that GPUs compute."""
        s = self.summary or {}

        def latency(key: str) -> dict[str, float]:
            values = s.get(key) or {}
            return {q: float(values.get(q, math.nan)) for q in _QUANTILES}

        return {
            "throughput_tokens_per_sec": s.get("output_tokens_per_s", 0.0),
            "throughput_requests_per_sec": s.get("requests_per_s", 0.0),
            "first_token_latency": latency("ttft_s"),
            "end_to_end_latency": latency("latency_s"),
            "time_per_output_token": latency("tpot_s"),
            "inter_token_latency": latency("between_tokens_s"),
            "queueing_latency": latency("queue_s"),
            "gpu_utilization": s.get("busy", 0.0),
            "mfu": s.get("mfu", 0.0),
            "kv_cache_utilization": s.get("cache_mean", 0.0),
            "total_requests": s.get("requests", 0),
            "completed_requests": s.get("finished", 0),
            "preemptions": s.get("preemptions", 0),
            "simulation_duration_s": s.get("duration_s", 0.0),
            "memory_warnings": list(self._memory),
            "warnings": self._warnings + list(s.get("warnings", [])),
            "notes": list(s.get("notes", [])),
        }


class LLMInferenceSimulator:
    """Takes its configuration as it is when run() is called."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config

    def serving_config(self) -> dict[str, Any]:
        """The same for ridgepoint.simulate_serving(). Raises BadInput, a ValueError."""
        c = self.config
        w = c.workload_spec
        if w.arrival_process not in ("poisson", "deterministic"):
            raise BadInput(
                f"arrival_process={w.arrival_process!r}: use 'poisson' or 'deterministic'"
            )
        kind = self._scheduler()
        sequences = w.batch_size or c.scheduler_spec.max_batch_size
        p = c.parallelism_spec
        return {
            "model": self._model(),
            "gpu": self._gpu(),
            "engine": c.engine,
            "parallel": {
                "tensor": p.tensor_parallel_size,
                "pipeline": p.pipeline_parallel_size,
                "replicas": p.data_parallel_size,
                "gpus_per_node": c.cluster_spec.n_gpus_per_node,
            },
            "scheduler": {
                "kind": kind,
                "max_sequences": sequences,
                "token_budget": max(2048, sequences),
            },
            "workload": {
                "arrivals": {"kind": w.arrival_process, "rate_per_s": w.arrival_rate},
                "input": {"tokens": w.avg_input_length},
                "output": {"tokens": w.avg_output_length},
                "duration_s": c.simulation_duration_s,
                "seed": w.seed,
            },
            "stop_s": c.simulation_duration_s,
        }

    def run(self) -> SimulationResult:
        """Raises BadInput for what makes no simulation. A model that does not fit its GPU is no
        error here: nothing is completed, and `memory_warnings` say what would fit."""
        warnings = self._check_gpus() + self._check_parameters()
        try:
            answer = ridgepoint.simulate_serving(self.serving_config())
        except DoesNotFit as error:
            return SimulationResult(None, warnings, [str(error).removeprefix("config: ")])
        memory = [
            text for text in answer["summary"]["warnings"] if "memory" in text or "cache" in text
        ]
        return SimulationResult(answer, warnings, memory)

    def _scheduler(self) -> str:
        s = self.config.scheduler_spec
        if s.batching_type not in _SCHEDULERS:
            raise BadInput(
                f"batching_type={s.batching_type!r}: use one of {', '.join(_SCHEDULERS)}"
            )
        whole = s.batching_type == "continuous" and not s.token_level_scheduling
        return "orca" if whole else _SCHEDULERS[s.batching_type]

    def _model(self) -> dict[str, Any]:
        m = self.config.model_spec
        return {
            "name": m.name,
            "architectures": ["LlamaForCausalLM"],
            "hidden_size": m.hidden_size,
            "num_hidden_layers": m.n_layers,
            "num_attention_heads": m.n_heads,
            "num_key_value_heads": m.n_kv_heads or m.n_heads,
            "intermediate_size": m.ffn_dim,
            "vocab_size": m.vocab_size,
            "torch_dtype": "float16",
        }

    def _gpu(self) -> str | dict[str, Any]:
        g = self.config.cluster_spec.gpu_spec
        device = ridgepoint.find_device(g.name)
        if device is not None and device.name in ridgepoint.gpus_with_tables():
            return device.name
        numbers = (g.compute_tflops, g.memory_bandwidth_gbs, g.memory_size_gb)
        if None in numbers:
            raise BadInput(
                f"GPU '{g.name}' is not known, nor are all of compute_tflops, memory_bandwidth_gbs "
                f"and memory_size_gb given; known: {ridgepoint.suggested_devices(g.name)}"
            )
        return {
            "name": g.name,
            "peak_tflops": g.compute_tflops,
            "bandwidth_gb_s": g.memory_bandwidth_gbs,
            "memory_gb": g.memory_size_gb,
        }

    def _check_gpus(self) -> list[str]:
        c, p = self.config.cluster_spec, self.config.parallelism_spec
        there = c.n_gpus_per_node * c.n_nodes
        used = p.tensor_parallel_size * p.pipeline_parallel_size * p.data_parallel_size
        if used > there:
            raise BadInput(
                f"parallelism needs {used} GPUs (tensor {p.tensor_parallel_size} x pipeline "
                f"{p.pipeline_parallel_size} x data {p.data_parallel_size}), and the cluster has "
                f"{there}"
            )
        return [f"{there - used} of {there} GPUs are not used"] if used < there else []

    def _check_parameters(self) -> list[str]:
        m = self.config.model_spec
        counted = ridgepoint.parameters(ridgepoint.model_from_config(self._model(), m.name))
        if abs(counted / m.n_params - 1) < 0.15:
            return []
        return [
            f"n_params={m.n_params:.3g}, but the sizes of {m.name} make {counted:.3g} parameters; "
            "the sizes count"
        ]
