#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "roofline/measure_steps.h"

namespace ridge {

void read_latencies(Prober& prober) {
  const auto& points = prober.points("latency");
  if (points.empty()) return;
  // A CPU's clock was measured; a GPU tells its own, and boosts for one thread as for a peak.
  double clock = prober.has("clock") ? prober.ceilings().values.at("clock").value : 0;
  if (clock <= 0)
    for (const auto& [key, c] : prober.ceilings().values) clock = std::max(clock, c.clock_hz);
  const auto add = [&](const std::string& level, double seconds, double span) {
    Ceiling& c = prober.ceilings().values["latency." + level];
    c = {.value = seconds,
         .unit = "s",
         .method = fmt::format("pointer_chase over {:.0f} KiB", span / 1024)};
    if (clock > 0) c.method += fmt::format(", {:.1f} cycles", seconds * clock);
    c.clock_hz = clock;
  };
  double low = 0;
  for (const Level& level : prober.ceilings().levels) {
    const double high =
        level.per_unit ? level.bytes / std::max(1, prober.backend().device().units) : level.bytes;
    double best = INFINITY, at = 0;
    for (const auto& [span, seconds] : points)
      if (span > 2 * low && span < 0.7 * high && seconds < best) {
        best = seconds;
        at = span;
      }
    if (at > 0) add(level.name, best, at);
    low = high;
  }
  add("dram", points.rbegin()->second, points.rbegin()->first);
}

void read_turnaround(Prober& prober) {
  const auto& points = prober.points("mix");
  if (points.size() < 3 || points.begin()->first > 0 || points.rbegin()->first < 1) return;
  const double write = points.begin()->second, read = points.rbegin()->second;
  double most = 0, at = 0;
  for (const auto& [reads, bandwidth] : points) {
    const double apart = 1 / (reads / read + (1 - reads) / write);
    if (const double lost = 1 - bandwidth / apart; lost > most) {
      most = lost;
      at = reads;
    }
  }
  if (most > 0)
    prober.ceilings().values["dram.turnaround"] = {
        .value = most,
        .unit = "1",
        .method = fmt::format("stream_mix at {:.0f} % reads, against its parts", 100 * at)};
}

void fit_small_copies(Prober& prober) {
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (const auto& [bytes, seconds] : prober.points("copy_size")) {
    const double weight = 1 / (seconds * seconds);
    w += weight;
    wx += weight * bytes;
    wy += weight * seconds;
    wxx += weight * bytes * bytes;
    wxy += weight * bytes * seconds;
  }
  const double slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  const double fixed = (wy - slope * wx) / w;
  if (!(slope > 0) || !(fixed > 0)) return;
  auto& v = prober.ceilings().values;
  v["small_copy.fixed"] = {.value = fixed, .unit = "s", .method = "fit of copies up to 8 MiB"};
  v["small_copy.rate"] = {
      .value = 1 / slope, .unit = "byte/s", .method = "fit of copies up to 8 MiB"};
}

}  // namespace ridge
