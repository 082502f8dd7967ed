#include "roofline/ceilings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/core/error.h"

namespace ridge {
namespace {

double ceiling(const Ceilings& c, const std::string& key) {
  const auto it = c.values.find(key);
  if (it == c.values.end())
    throw BadInput("ceilings of " + c.device + ": '" + key + "' was not measured");
  return it->second.value;
}

constexpr std::array<std::pair<Bound, std::string_view>, 7> kBounds{{{Bound::kCompute, "compute"},
                                                                     {Bound::kDram, "dram"},
                                                                     {Bound::kLaunch, "launch"},
                                                                     {Bound::kL1, "l1"},
                                                                     {Bound::kL2, "l2"},
                                                                     {Bound::kL3, "l3"},
                                                                     {Bound::kLink, "link"}}};

// Measured mixes: the share of reads, and what the ceiling is called.
struct Mix {
  double reads;
  const char* name;
};
constexpr std::array<Mix, 7> kMixes{{{0, ".write"},
                                     {0.25, ".mix_1:3"},
                                     {1.0 / 3, ".mix_1:2"},
                                     {0.5, ".copy"},
                                     {2.0 / 3, ".mix_2:1"},
                                     {0.75, ".mix_3:1"},
                                     {1, ".read"}}};

double compute_seconds(const Ceilings& c, const Work& work) {
  return work.flops > 0 ? work.flops / ceiling(c, ceiling_name(work.pipe, work.arithmetic)) : 0;
}

double link_seconds(const Ceilings& c, const Work& work) {
  return work.link_bytes > 0 ? work.link_bytes / ceiling(c, "link") : 0;
}

}  // namespace

std::string_view name(Verdict v) {
  return v == Verdict::kInside ? "inside" : v == Verdict::kOutside ? "outside" : "unknown";
}

std::string_view name(Bound b) {
  for (const auto& [bound, text] : kBounds)
    if (bound == b) return text;
  throw BadInput("unknown bound");
}

Bound parse_bound(std::string_view text) {
  for (const auto& [bound, known] : kBounds)
    if (known == text) return bound;
  throw BadInput("unknown bound '" + std::string(text) + "'");
}

std::string level_of(const Ceilings& c, double working_set_bytes) {
  for (const Level& level : c.levels)
    if (level.lasting && working_set_bytes <= level.bytes) return level.name;
  return "dram";
}

double memory_seconds(const Ceilings& c, const std::string& level, double bytes_read,
                      double bytes_written) {
  const double bytes = bytes_read + bytes_written;
  if (bytes <= 0) return 0;
  const double reads = bytes_read / bytes;
  // On the mix's side of 1:1; a mix that is itself an end needs no other ceiling.
  const double low = reads >= 1 ? 1 : reads >= 0.5 ? 0.5 : 0;
  const double high = reads <= 0 ? 0 : reads <= 0.5 ? 0.5 : 1;
  struct Point {
    double reads, time;  // seconds a byte
  };
  std::vector<Point> points;
  for (const Mix& mix : kMixes) {
    if (mix.reads < low || mix.reads > high) continue;
    const bool end = mix.reads == low || mix.reads == high;
    if (end || c.values.count(level + mix.name))
      points.push_back({mix.reads, 1 / ceiling(c, level + mix.name)});
  }
  double best = std::numeric_limits<double>::infinity();
  for (const Point& a : points)
    for (const Point& b : points) {
      if (a.reads > reads || b.reads < reads) continue;
      const double part = b.reads > a.reads ? (reads - a.reads) / (b.reads - a.reads) : 0;
      best = std::min(best, a.time * (1 - part) + b.time * part);
    }
  return bytes * best;
}

double dram_seconds(const Ceilings& c, double bytes_read, double bytes_written) {
  return memory_seconds(c, "dram", bytes_read, bytes_written);
}

Ideal ideal(const Ceilings& c, const Work& work, double working_set_bytes) {
  const std::string level = level_of(c, working_set_bytes);
  const double memory = memory_seconds(c, level, work.bytes_read, work.bytes_written);
  const double compute = compute_seconds(c, work), link = link_seconds(c, work);
  if (link > compute && link > memory) return {link, Bound::kLink};
  return compute > memory ? Ideal{compute, Bound::kCompute} : Ideal{memory, parse_bound(level)};
}

double launch_seconds(const Ceilings& c, Method method) {
  const auto it = c.values.find("launch." + std::string(name(method)));
  return it == c.values.end() ? 0 : it->second.value;
}

double attainable(const Ceilings& c, double intensity, const std::string& pipe,
                  const std::string& level) {
  return std::min(ceiling(c, pipe), intensity * ceiling(c, level + ".read"));
}

std::vector<RidgePoint> ridge_points(const Ceilings& c) {
  std::vector<std::string> levels;
  for (const Level& level : c.levels) levels.push_back(level.name);
  levels.push_back("dram");
  std::vector<RidgePoint> points;
  for (const auto& [pipe, peak] : c.values) {
    const bool way = std::count(pipe.begin(), pipe.end(), '.') > 1;  // matrix.f32.gemm
    if (way || (pipe.rfind("matrix.", 0) != 0 && pipe.rfind("vector.", 0) != 0)) continue;
    for (const std::string& level : levels)
      if (const auto it = c.values.find(level + ".read"); it != c.values.end())
        points.push_back({pipe, level, peak.value / it->second.value});
  }
  return points;
}

Classification classify(const Ceilings& c, const Work& work, Method method,
                        double working_set_bytes) {
  const std::string level = level_of(c, working_set_bytes);
  std::array<std::pair<double, Bound>, 4> times{{
      {compute_seconds(c, work), Bound::kCompute},
      {link_seconds(c, work), Bound::kLink},
      {memory_seconds(c, level, work.bytes_read, work.bytes_written), parse_bound(level)},
      {launch_seconds(c, method), Bound::kLaunch},
  }};
  std::sort(times.begin(), times.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  return {.bound = times[0].second,
          .margin = times[1].first > 0 ? times[0].first / times[1].first : INFINITY,
          .seconds = times[0].first};
}

}  // namespace ridge
