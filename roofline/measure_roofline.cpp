#include "roofline/measure_roofline.h"

#include <fmt/format.h>

#include <algorithm>

#include "roofline/measure_steps.h"
#include "roofline/staircase.h"

namespace ridge {
namespace {

// Costs that the backend measures itself.
void add_overheads(Prober& prober) {
  for (const auto& [key, seconds] : prober.backend().overheads()) {
    const bool event = key == "event";
    prober.ceilings().values[event ? key : "launch." + key] = {
        .value = seconds,
        .unit = "s",
        .method = event ? "record between kernels" : "empty kernels"};
  }
}

void measure_staircase(Prober& prober, double budget_s) {
  const StaircasePlan plan = staircase_plan(prober.backend());
  prober.measure(plan.probes, budget_s);
  const auto read = [&](const char* sweep) {
    const auto& points = prober.points(sweep);
    Staircase s = read_staircase({points.begin(), points.end()}, plan.step);
    s.sweep = sweep;
    return s;
  };
  Staircase m = read("staircase.m"), n = read("staircase.n");
  count_wave_tiles(m, n, plan.held);
  for (const Staircase& s : {m, n})
    if (!prober.points(s.sweep).empty()) prober.ceilings().staircases.push_back(s);
}

}  // namespace

Ceilings measure_roofline(Backend& backend, const SamplerOptions& sampling, Depth depth,
                          double budget_s, const OnProgress& progress) {
  Prober prober(backend, sampling, progress);
  prober.plan(budget_s);
  const auto cache = static_cast<double>(backend.device().last_level_cache_bytes);
  if (const double most = most_bytes(backend, 16); most < 16 * cache)
    prober.ceilings().notes.push_back(fmt::format(
        "the largest working set is {:.0f} MiB, an eighth of the memory and {:.1f} times "
        "the last-level cache; below 4 times, DRAM ceilings hold what the cache keeps",
        most / (1 << 20), most / cache));
  const bool full = depth == Depth::kFull;
  const double sustained_s = full ? 10 : 0;
  const double rest_s = std::max(budget_s - 2 * sustained_s, 0.1);
  // Shares of the budget.
  // The clock again and again: the best is what the peaks ran at.
  const auto clock = [&] { prober.measure(clock_probes(backend), 0.01 * rest_s); };
  clock();
  prober.measure(dram_probes(backend), 0.18 * rest_s);
  prober.measure(mix_probes(backend, depth), 0.12 * rest_s);
  clock();
  prober.measure(arithmetic_probes(backend), (full ? 0.12 : 0.28) * rest_s);
  clock();
  measure_levels(prober, depth, (full ? 0.22 : 0.28) * rest_s);
  prober.measure(latency_probes(backend, depth), 0.08 * rest_s);
  prober.measure(overhead_probes(backend, depth), 0.04 * rest_s);
  read_latencies(prober);
  read_turnaround(prober);
  if (full) {
    add_overheads(prober);
    fit_small_copies(prober);
    prober.measure(pattern_probes(backend), 0.08 * rest_s);
    prober.measure(arithmetic_detail_probes(backend), 0.08 * rest_s);
    measure_host_copies(prober);
    measure_staircase(prober, 0.06 * rest_s);
    const bool cpu = backend.device().kind == "cpu";
    for (const char* key : {cpu ? "matrix.f32" : "matrix.f16", cpu ? "matrix.int8" : "matrix.bf16"})
      measure_sustained(prober, key, sustained_s);
  }
  Ceilings ceilings = prober.finish();
  ceilings.provenance["depth"] = full ? "full" : "quick";
  judge(ceilings, backend.device());
  return ceilings;
}

}  // namespace ridge
