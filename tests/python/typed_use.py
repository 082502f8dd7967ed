"""Read by mypy, not run: what users write has the types that they expect."""
from __future__ import annotations

import pathlib

import ridgepoint
from gpu_specs_database import GPUSpecsDatabase
from llm_latency_predictor import LLMLatencyPredictor

p: ridgepoint.RequestPrediction = ridgepoint.predict(
    model="8b", gpu="h100", input=[512, 1024], output=64, batch=2, tp=2, engine="vllm")
seconds: float = p.ttft_s.value
words: list[str] = [r.basis for r in p.decode.roles] + p.notes
bounds: dict[str, float] = p.prefill.bound_s
tables = ridgepoint.TableSet([pathlib.Path("a.json"), "b.json"])
times: list[ridgepoint.Prediction] = tables.predict([ridgepoint.Call("gemm", {"m": 1})])
time: ridgepoint.Prediction = tables.predict(ridgepoint.Call("gemm", [1, 2, 3], dtype="f16"))
request = ridgepoint.Request([ridgepoint.Prompt(512, count=4)], output=64)
prompts: tuple[ridgepoint.Prompt, ...] = request.prompts
request.speculation = ridgepoint.Speculation(ridgepoint.find_model("1b"))
memory: ridgepoint.Memory = ridgepoint.memory_of("h100", ridgepoint.deployment("8b"), request)
fits: bool = memory.fits
spec: ridgepoint.DeviceSpec | None = ridgepoint.find_device("h100")
knee: int | None = ridgepoint.best_batch("8b", "h100", 512, 64).knee
for row in ridgepoint.compare(gpus=["h100"], models=["8b", ridgepoint.find_model("1b")]).rows:
    cost: float | None = row.usd_per_million_output
total: float = LLMLatencyPredictor().predict_latency("1b", "T4", 512, 100).total_ms
detected = GPUSpecsDatabase().detect_gpu()
sms: int = detected.sm_count if detected else 0
