#include <fmt/format.h>

#include "roofline/measure_steps.h"

namespace ridge {
namespace {

using Points = std::vector<std::pair<double, double>>;

Points points_of(const Prober& prober, const std::string& sweep) {
  const auto& map = prober.points(sweep);
  return {map.begin(), map.end()};
}

// What the sweep has best inside level `index` becomes a candidate for `key`.
void offer_best(Prober& prober, const std::string& sweep, const std::vector<double>& edges,
                std::size_t index, const std::string& key) {
  const LevelRange range = inside_level(edges, index);
  double best = 0, at = 0;
  for (const auto& [x, y] : prober.points(sweep))
    if (x >= range.low && x <= range.high && y > best) {
      best = y;
      at = x;
    }
  auto& values = prober.ceilings().values;
  if (best > 0 && (!values.count(key) || values.at(key).value < best))
    values[key] = {.value = best,
                   .unit = "byte/s",
                   .method = fmt::format("{} at {:.0f} KiB", sweep, at / 1024)};
}

}  // namespace

void measure_levels(Prober& prober, Depth depth, double budget_s) {
  Backend& b = prober.backend();
  const bool cpu = b.device().kind == "cpu";
  prober.measure(working_set_probes(b, depth), 0.5 * budget_s);
  // The system's word bounds what counts as a cache, but not where its edge is.
  const double most = 2 * static_cast<double>(b.device().last_level_cache_bytes);
  std::vector<double> edges = find_edges(points_of(prober, "working_set.read"), most);
  prober.measure(edge_probes(b, edges), 0.2 * budget_s);
  edges = find_edges(points_of(prober, "working_set.read"), most);
  auto& levels = prober.ceilings().levels;
  prober.measure(shared_memory_probes(b), 0.02 * budget_s);
  if (!cpu) {
    // Of a multiprocessor's own sweep only the first step is its L1; the next is the shared cache.
    const auto own = find_edges(points_of(prober, "working_set_unit.read"));
    if (!own.empty()) {
      levels.push_back({.name = "l1",
                        .bytes = own.front() * b.device().units,
                        .per_unit = true,
                        .lasting = false,
                        .method = "each multiprocessor's own working-set sweep"});
      for (const char* kind : {"read", "write", "copy", "scale", "triad"})
        offer_best(prober, std::string("working_set_unit.") + kind, {own.front()}, 0,
                   std::string("l1.") + kind);
    }
    if (edges.size() > 1)
      prober.ceilings().notes.push_back(
          fmt::format("reads slow down at {:.1f} MiB, before the L2 is full: its far partition",
                      edges[0] / (1 << 20)));
    if (!edges.empty()) edges = {edges.back()};
  }
  for (std::size_t i = 0; i < edges.size() && i < 3; ++i) {
    const std::string name = fmt::format("l{}", i + (cpu ? 1 : 2));
    levels.push_back({.name = name,
                      .bytes = edges[i],
                      .per_unit = cpu && i + 1 < edges.size(),
                      .lasting = true,
                      .method = "working-set sweep"});
    prober.measure(level_probes(b, edges, i, name),
                   0.3 * budget_s / static_cast<double>(edges.size()));
    for (const char* kind : {"read", "write", "copy", "scale", "triad"})
      offer_best(prober, std::string("working_set.") + kind, edges, i, name + "." + kind);
  }
}

}  // namespace ridge
