// How long the delay model takes: predictions of calls that are in no table, on one core, and
// fitting a curve.
#include <benchmark/benchmark.h>

#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

std::vector<Measurement> made_up(int calls) {
  std::vector<Measurement> all;
  std::mt19937_64 rng(1);
  for (int i = 0; i < calls; ++i) {
    const Call call = fixture::random_gemm(rng);
    all.push_back(fixture::timed(call, {fixture::law_s(call)}));
  }
  return all;
}

DelayTable table_of(const std::vector<Measurement>& measured) {
  return make_table(fixture::device(), fixture::ceilings(), measured, {});
}

// A curve of many samples has the most trees there are.
void predict_many(benchmark::State& state) {
  static const DelayTable table = table_of(made_up(6000));
  std::mt19937_64 rng(2);
  std::vector<Call> calls;
  for (int i = 0; i < 4096; ++i) calls.push_back(fixture::random_gemm(rng));
  const auto together = static_cast<std::size_t>(state.range(0));
  std::size_t first = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(predict_calls(table, std::span(calls).subspan(first, together)));
    first = (first + together) % (calls.size() - together + 1);
  }
  state.SetItemsProcessed(static_cast<int64_t>(together) * state.iterations());
}

void fit(benchmark::State& state) {
  const std::vector<Measurement> measured = made_up(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(table_of(measured));
}

BENCHMARK(predict_many)->Name("predict_calls")->Arg(1)->Arg(16)->Arg(4096);
BENCHMARK(fit)->Name("fit")->Arg(500)->Arg(36000)->UseRealTime()->Iterations(1)->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace ridge

BENCHMARK_MAIN();
