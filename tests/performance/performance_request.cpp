// How long a whole model's prediction takes on one core, and what has to be read before it.
#include <benchmark/benchmark.h>

#include "predictor/request/memory.h"

namespace ridge {
namespace {

Deployment llama_3_1_8b(const char* engine) {
  return {.model = find_model("llama-3.1-8b"), .engine = find_engine(engine)};
}

// 4,096 tokens in, 1,024 out.
void predict_one(benchmark::State& state, const char* gpu, const char* engine) {
  const Deployment d = llama_3_1_8b(engine);
  const TableSet tables = shipped_tables(gpu, d.engine.framework);
  const Request r{.prompts = {{.count = state.range(0), .tokens = 4096}}, .output = 1024};
  for (auto _ : state) benchmark::DoNotOptimize(predict_request(tables, d, r));
}

// Sequences of 64 lengths.
void predict_mix(benchmark::State& state) {
  const Deployment d = llama_3_1_8b("kernels");
  const TableSet tables = shipped_tables("h100");
  Request r{.prompts = {}, .output = 256};
  for (int64_t i = 0; i < 64; ++i) r.prompts.push_back({.count = 1, .tokens = 200 + 37 * i});
  for (auto _ : state) benchmark::DoNotOptimize(predict_request(tables, d, r));
}

void memory(benchmark::State& state) {
  const Deployment d = llama_3_1_8b("kernels");
  const DeviceInfo device = shipped_tables("t4").device();
  const Request r{.prompts = {{.count = 16, .tokens = 4096}}, .output = 1024};
  for (auto _ : state) benchmark::DoNotOptimize(memory_of(device, d, r));
}

void load_model(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(find_model("llama-3.1-8b"));
}

void load_tables(benchmark::State& state, const char* gpu) {
  for (auto _ : state) benchmark::DoNotOptimize(shipped_tables(gpu));
}

BENCHMARK_CAPTURE(predict_one, h100, "h100", "kernels")
    ->Arg(1)
    ->Arg(16)
    ->Arg(64)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(predict_one, h100_vllm, "h100", "vllm")->Arg(16)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(predict_one, h200, "h200", "kernels")->Arg(16)->Unit(benchmark::kMicrosecond);
BENCHMARK(predict_mix)->Unit(benchmark::kMicrosecond);
BENCHMARK(memory)->Unit(benchmark::kMicrosecond);
BENCHMARK(load_model)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_tables, h100, "h100")
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_tables, h200, "h200")
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ridge

BENCHMARK_MAIN();
