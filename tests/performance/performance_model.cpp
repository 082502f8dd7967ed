// How long the delay model takes: predictions of calls that are in no table, on one core, and
// fitting a curve.
#include <benchmark/benchmark.h>

#include "calibrate/delay_model.h"
#include "calibrate/fit_curve.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

DelayTable made_up(int calls) {
  std::vector<Measurement> all;
  std::mt19937_64 rng(1);
  for (int i = 0; i < calls; ++i) {
    const Call call = fixture::random_gemm(rng);
    all.push_back(fixture::timed(call, {fixture::law_s(call)}));
  }
  return make_table(fixture::device(), fixture::ceilings(), all, {}, FitEffort::kQuick);
}

// A curve of many samples has the most trees there are.
void predict_many(benchmark::State& state) {
  static const DelayTable table = [] {
    DelayTable t = made_up(6000);
    t.curves = fit_curves(t);
    t.model = std::make_shared<const DelayModel>(t);
    return t;
  }();
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
  const DelayTable table = made_up(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(fit_curves(table));
}

BENCHMARK(predict_many)->Name("predict_calls")->Arg(1)->Arg(16)->Arg(4096);
BENCHMARK(fit)->Name("fit")->Arg(500)->Arg(36000)->UseRealTime()->Iterations(1)->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace ridge

BENCHMARK_MAIN();
