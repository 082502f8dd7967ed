"""Four questions to the serving simulator, by the first generation's API: which GPU, which batch
size, how many GPUs a replica, what lengths do. Prints a table for each; docs/simulating.md has them.
"""

from llm_inference_simulator import *  # pylint: disable=wildcard-import,unused-wildcard-import


def serving(rate: float = 4.0) -> SimulatorConfig:
    """Llama-2-7B on one L40S: 512 tokens in, 128 out, for a minute."""
    return SimulatorConfig(
        model_spec=ModelSpec(name="llama-2-7b", n_params=6_738_000_000),
        workload_spec=WorkloadSpec(arrival_rate=rate),
        cluster_spec=ClusterSpec(gpu_spec=GPUSpec(name="L40S")),
    )


def row(name: object, config: SimulatorConfig) -> None:
    stats = LLMInferenceSimulator(config).run().compute_statistics()
    if not stats["completed_requests"]:
        print(f"{name!s:>12}  {(stats['memory_warnings'] or stats['warnings'])[0][:60]}")
        return
    print(
        f"{name!s:>12} {stats['throughput_tokens_per_sec']:12.0f}"
        f" {stats['first_token_latency']['p95'] * 1e3:12.0f}"
        f" {stats['time_per_output_token']['p95'] * 1e3:12.1f}"
        f" {stats['gpu_utilization']:10.0%}"
    )


def head(title: str, first: str) -> None:
    print(f"\n{title}\n{first:>12} {'tokens/s':>12} {'TTFT p95 ms':>12} {'TPOT p95 ms':>12} {'busy':>10}")


def main() -> None:
    head("Which GPU? 4 requests/s", "GPU")
    for gpu in ("T4", "A10G", "L4", "L40S", "A100-80GB", "H100"):
        config = serving()
        config.cluster_spec.gpu_spec = GPUSpec(name=gpu)
        row(gpu, config)

    head("Which batch size? 4 requests/s on an L40S", "sequences")
    for batch in (1, 4, 8, 16, 32, 64):
        config = serving()
        config.scheduler_spec.max_batch_size = batch
        row(batch, config)

    head("How many GPUs a replica? 16 requests/s on A100-80GB", "TP")
    for tp in (1, 2, 4):
        config = serving(16.0)
        config.cluster_spec.gpu_spec = GPUSpec(name="A100-80GB")
        config.cluster_spec.n_gpus_per_node = tp
        config.parallelism_spec.tensor_parallel_size = tp
        row(tp, config)

    head("What do lengths do? 4 requests/s", "in/out")
    for tokens_in, tokens_out in ((128, 128), (512, 128), (2048, 128), (512, 32), (512, 512)):
        config = serving()
        config.workload_spec.avg_input_length = tokens_in
        config.workload_spec.avg_output_length = tokens_out
        row(f"{tokens_in}/{tokens_out}", config)


if __name__ == "__main__":
    main()
