// Requests that the simulator serves a second, and what one costs as their number grows.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>

#include "simulator/config/scenario.h"

namespace {

using ridge::sim::Scenario;

// Llama-3.1-8B on an H100, Poisson, 512 tokens in and 512 out, vLLM v1; the rate is the argument.
Scenario serving(int64_t requests, int64_t rate_per_s) {
  return ridge::sim::scenario_from_json({{"model", "llama-3.1-8b"},
                                         {"gpu", "h100"},
                                         {"workload",
                                          {{"arrivals", {{"rate_per_s", rate_per_s}}},
                                           {"output", {{"tokens", 512}}},
                                           {"requests", requests}}}},
                                        "benchmark");
}

void simulated_requests(benchmark::State& state) {
  const Scenario s = serving(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(simulate(s).records.size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(simulated_requests)
    ->ArgNames({"requests", "rate"})
    ->Args({1'000, 8})
    ->Args({10'000, 8})
    ->Args({100'000, 8})
    ->Args({1'000'000, 8})
    ->Args({100'000, 1})
    ->Args({100'000, 16})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
