"""Code that was written for the first generation's serving simulator, and ridgepoint's own."""
import contextlib
import csv
import io
import math

import harness
import ridgepoint
from harness import close, raises
from llm_inference_simulator import *  # pylint: disable=wildcard-import,unused-wildcard-import

# The example of its documentation, word for word.
EXAMPLE = """
from llm_inference_simulator import *
config = SimulatorConfig(
    model_spec=ModelSpec(name="llama-7b", n_params=7_000_000_000, hidden_size=4096, n_layers=32, n_heads=32, ffn_dim=11008),
    workload_spec=WorkloadSpec(avg_input_length=512, avg_output_length=128, arrival_rate=2.0),
    cluster_spec=ClusterSpec(n_gpus_per_node=1, n_nodes=1, gpu_spec=GPUSpec(name="A100-80GB")),
    parallelism_spec=ParallelismSpec(),
    scheduler_spec=SchedulerSpec(),
    simulation_duration_s=60.0)
stats = LLMInferenceSimulator(config).run().compute_statistics()
print(f"{stats['throughput_tokens_per_sec']:.0f} {stats['first_token_latency']['p95']:.3f}")
"""


def config(**workload):
    c = SimulatorConfig(simulation_duration_s=30.0)
    for key, value in workload.items():
        setattr(c.workload_spec, key, value)
    return c


def stats_of(c):
    return LLMInferenceSimulator(c).run().compute_statistics()


def test_example():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        names = {}
        exec(EXAMPLE, names)  # pylint: disable=exec-used
    tokens, p95 = map(float, out.getvalue().split())
    stats = names["stats"]
    # 2 requests/s of 128 tokens, but for those under way at the end.
    assert 180 < tokens < 290 and 0 < p95 < 1
    assert stats["completed_requests"] <= stats["total_requests"]
    assert 0 < stats["gpu_utilization"] <= 1 and not stats["memory_warnings"]
    assert stats["end_to_end_latency"]["p95"] > stats["first_token_latency"]["p95"]


def test_loops_over_gpus():
    throughput = {}
    for gpu in ("T4", "A10G", "L40S", "A100-80GB", "H100"):
        c = config(arrival_rate=6.0)
        c.cluster_spec.gpu_spec = GPUSpec(name=gpu)
        stats = stats_of(c)
        throughput[gpu] = stats["throughput_tokens_per_sec"]
        if gpu == "T4":  # 13.5 GB of weights and a context do not fit in its 14
            assert stats["memory_warnings"] and stats["completed_requests"] == 0
            assert math.isnan(stats["first_token_latency"]["p95"])
    assert throughput["T4"] == 0 < throughput["A10G"] < throughput["L40S"]
    assert throughput["A100-80GB"] > throughput["L40S"]


def test_loops_over_batches():
    tokens = []
    for batch in (1, 4, 16, 64):
        c = config(arrival_rate=20.0)
        c.scheduler_spec.max_batch_size = batch
        tokens.append(stats_of(c)["throughput_tokens_per_sec"])
        c.scheduler_spec.max_batch_size = 256
        c.workload_spec.batch_size = batch
        close(stats_of(c)["throughput_tokens_per_sec"], tokens[-1])
    assert tokens == sorted(tokens) and tokens[-1] > 5 * tokens[0]


def test_loops_over_tensor_parallel_sizes():
    latency = []
    for tp in (1, 2, 4):
        c = config(arrival_rate=1.0)
        c.cluster_spec.n_gpus_per_node = 4
        c.parallelism_spec.tensor_parallel_size = tp
        stats = stats_of(c)
        latency.append(stats["time_per_output_token"]["mean"])
        assert (tp < 4) == any("are not used" in w for w in stats["warnings"])
    assert latency[0] > latency[1] > latency[2]


def test_loops_over_rates_and_lengths():
    ttft = [stats_of(config(arrival_rate=r))["first_token_latency"]["p95"] for r in (1.0, 8.0, 64.0)]
    assert ttft[0] < ttft[1] < ttft[2]
    for process in ("poisson", "deterministic"):
        ends = [
            stats_of(config(avg_output_length=n, arrival_process=process))["end_to_end_latency"]
            for n in (16, 64, 256)
        ]
        assert ends[0]["mean"] < ends[1]["mean"] < ends[2]["mean"]


def test_batching_types():
    latency = {}
    for kind in ("static", "dynamic", "continuous"):
        c = config(arrival_rate=4.0)
        c.scheduler_spec.batching_type = kind
        latency[kind] = stats_of(c)["end_to_end_latency"]["mean"]
    assert latency["continuous"] < latency["static"]
    c.scheduler_spec.token_level_scheduling = False
    assert stats_of(c)["completed_requests"] > 0


def test_gpu_of_numbers_takes_its_roofline():
    c = config()
    c.cluster_spec.gpu_spec = GPUSpec(
        name="dream", compute_tflops=1000, memory_size_gb=100, memory_bandwidth_gbs=4000
    )
    c.engine = "kernels"
    stats = stats_of(c)
    assert any("roofline" in note for note in stats["notes"])
    # No step reads its 13.5 GB of weights faster than that.
    assert stats["time_per_output_token"]["p50"] > 13.2e9 / 4e12
    assert stats["time_per_output_token"]["p50"] < 1.5 * 13.5e9 / 4e12


def test_bad_input():
    with raises(ValueError, "needs 2 GPUs", "has 1"):
        c = config()
        c.parallelism_spec.tensor_parallel_size = 2
        stats_of(c)
    with raises(BadInput, "GPU 'xyz' is not known", "compute_tflops"):
        c = config()
        c.cluster_spec.gpu_spec = GPUSpec(name="xyz")
        stats_of(c)
    with raises(BadInput, "rate_per_s=0"):
        stats_of(config(arrival_rate=0))
    with raises(BadInput, "workload.output", "at least 1"):
        stats_of(config(avg_output_length=0))
    with raises(BadInput, "batching_type='eager'", "continuous"):
        c = config()
        c.scheduler_spec.batching_type = "eager"
        stats_of(c)
    with raises(BadInput, "arrival_process"):
        stats_of(config(arrival_process="uniform"))


def test_nothing_completed_is_warned_of():
    c = config(avg_output_length=2000)
    c.simulation_duration_s = 1.0
    c.workload_spec.arrival_rate = 10.0
    stats = stats_of(c)
    assert stats["completed_requests"] == 0
    assert any("was completed" in w for w in stats["warnings"])
    assert math.isnan(stats["end_to_end_latency"]["mean"])


def test_requests_are_those_of_the_statistics():
    result = LLMInferenceSimulator(config()).run()
    rows = [r for r in result.requests if r["finish_s"]]
    stats = result.compute_statistics()
    assert len(rows) == stats["completed_requests"]
    ttft = [float(r["first_token_s"]) - float(r["arrival_s"]) for r in rows]
    close(sum(ttft) / len(ttft), stats["first_token_latency"]["mean"], 1e-3)


def test_simulate_serving():
    serving = {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "workload": {"arrivals": {"rate_per_s": 5}, "requests": 200},
        "limits": {"ttft_s": 0.5, "tpot_s": 0.05},
    }
    answer = ridgepoint.simulate_serving(serving)
    s = answer["summary"]
    assert s["finished"] == 200 and 0 < s["within_limits"] <= 1
    assert len(list(csv.DictReader(io.StringIO(answer["requests_csv"])))) == 200
    assert ridgepoint.simulate_serving(serving) == answer
    with raises(ridgepoint.BadInput, "unknown key 'workload.rqeuests'", "requests"):
        ridgepoint.simulate_serving({**serving, "workload": {"rqeuests": 3}})
    serving["gpu"] = "t4"
    with raises(ridgepoint.DoesNotFit, "does not fit", "would fit"):
        ridgepoint.simulate_serving(serving)
    serving["gpu"] = "l40s"
    found = ridgepoint.serving_capacity(serving)
    assert found["rate_per_s"] > 1 and len(found["points"]) > 3


if __name__ == "__main__":
    harness.main(globals())
