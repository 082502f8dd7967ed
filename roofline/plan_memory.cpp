#include <algorithm>
#include <cmath>

#include "kernels/core/operators.h"
#include "roofline/plan.h"

namespace ridge {
namespace {

// Arrays of f32 that each kind of stream goes over.
struct Kind {
  const char* name;
  int arrays;
};
constexpr Kind kRead{"read", 1}, kWrite{"write", 1}, kCopy{"copy", 2}, kScale{"scale", 2},
    kTriad{"triad", 3};
constexpr Kind kKinds[] = {kRead, kWrite, kCopy, kScale, kTriad};

bool on_cpu(const Backend& b) { return b.device().kind == "cpu"; }

double cache_bytes(const Backend& b) {
  return std::max<double>(static_cast<double>(b.device().last_level_cache_bytes), 1 << 20);
}

// `probe` once for every implementation that can run it.
void add_ways(const Backend& b, const Probe& probe, std::vector<Probe>& out) {
  for (const std::string& way : b.implementations(probe.call, nullptr)) {
    out.push_back(probe);
    out.back().call.implementation = way;
  }
}

// Where a sweep's units work: all on one working set, or each on its own.
enum class Scope { kShared, kOwn };

// A stream of `kind` that stays within `bytes`, gone over often enough to last 200 µs.
Probe resident_stream(const Backend& b, const Kind& kind, double bytes, Scope scope) {
  const int units = std::max(b.device().units, 1);
  int64_t parts = units;
  if (!on_cpu(b)) {
    // Four blocks a multiprocessor keep enough loads in flight; none gets less than 1 KiB.
    parts = static_cast<int64_t>(units) * 4;
    if (scope == Scope::kShared)
      parts = std::clamp<int64_t>(static_cast<int64_t>(bytes / 1024), 1, 2 * parts);
  }
  const double total = scope == Scope::kOwn && !on_cpu(b) ? bytes * units : bytes;
  auto count = static_cast<int64_t>(total / 4 / kind.arrays);
  // Whole KiB a part run without a ragged end.
  if (const int64_t whole = 256 * parts; count >= whole) count = count / whole * whole;
  const double rate = on_cpu(b) ? 100e9 * units : 4e12;  // the guess needs no better
  const auto passes =
      static_cast<int64_t>(std::clamp(std::ceil(200e-6 * rate / total), 1.0, 100000.0));
  const int64_t shift = scope == Scope::kShared && !on_cpu(b) ? 1 : 0;
  Probe p;
  p.call = {std::string("stream_") + kind.name,
            {std::max<int64_t>(count, parts), parts, passes, shift},
            Dtype::kF32,
            ""};
  p.residency = Residency::kResident;
  p.rate = Probe::Rate::kBytes;
  p.x = bytes;
  return p;
}

// Dependent loads, one each `stride` bytes in random order. All launches begin at the same place,
// so one must walk far enough that what it meets exceeds the caches: `share` of the tour.
Probe chase(double span, int64_t stride, double share) {
  const auto places = static_cast<int64_t>(span) / stride;
  const auto steps =
      std::max<int64_t>(20000, static_cast<int64_t>(share * static_cast<double>(places)));
  Probe p;
  p.call = {"pointer_chase", {places * stride, stride, steps}, Dtype::kInt32, ""};
  p.residency = Residency::kResident;
  p.rate = Probe::Rate::kSeconds;
  p.per = static_cast<double>(steps);
  p.x = span;
  return p;
}

std::vector<double> octaves(double low, double high, double factor) {
  std::vector<double> all;
  for (double x = low; x < high * 1.01; x *= factor) all.push_back(x);
  return all;
}

}  // namespace

double most_bytes(const Backend& b, double times) {
  return std::min(times * cache_bytes(b), static_cast<double>(b.device().memory_bytes) / 8);
}

std::vector<Probe> dram_probes(const Backend& b) {
  std::vector<Probe> all;
  for (const Kind& kind : kKinds)
    for (const double times : {4.0, 8.0, 16.0}) {
      const double bytes = most_bytes(b, times);
      const auto count = static_cast<int64_t>(bytes / 4 / kind.arrays) / 16384 * 16384;
      Probe p;
      p.call = {std::string("stream_") + kind.name,
                {std::max<int64_t>(count, 16384), std::max<int64_t>(count / 16384, 1), 1, 0},
                Dtype::kF32,
                ""};
      p.method = b.table_method();
      p.rate = Probe::Rate::kBytes;
      p.keys = {std::string("dram.") + kind.name};
      // Streams are mixes, too.
      if (kind.name == kScale.name) p.keys.push_back("dram.copy");
      if (kind.name == kTriad.name) p.keys.push_back("dram.mix_2:1");
      add_ways(b, p, all);
    }
  return all;
}

std::vector<Probe> working_set_probes(const Backend& b, Depth depth) {
  std::vector<Probe> all;
  const double factor = depth == Depth::kQuick ? 2 : std::sqrt(2.0);
  const double most = most_bytes(b, 8);
  for (const Kind& kind : kKinds) {
    if (depth == Depth::kQuick && kind.name != kRead.name) continue;
    for (const double bytes : octaves(4096, most, factor)) {
      Probe p = resident_stream(b, kind, bytes, Scope::kShared);
      p.sweep = std::string("working_set.") + kind.name;
      add_ways(b, p, all);
    }
    if (on_cpu(b)) continue;
    for (const double bytes : octaves(4096, 1 << 20, factor)) {
      Probe p = resident_stream(b, kind, bytes, Scope::kOwn);
      p.sweep = std::string("working_set_unit.") + kind.name;
      add_ways(b, p, all);
    }
  }
  return all;
}

std::vector<Probe> edge_probes(const Backend& b, const std::vector<double>& edges) {
  std::vector<Probe> all;
  for (const double edge : edges)
    for (const double part : {0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35}) {
      Probe p = resident_stream(b, kRead, std::round(part * edge / 1024) * 1024, Scope::kShared);
      p.sweep = "working_set.read";
      all.push_back(p);
    }
  return all;
}

std::vector<Probe> shared_memory_probes(const Backend& b) {
  std::vector<Probe> all;
  if (on_cpu(b)) return all;
  for (const int64_t blocks : {1, 2}) {  // on a multiprocessor
    Probe p;
    p.call = {"stream_shared", {b.device().units * blocks, 1024}, Dtype::kF32, ""};
    p.method = b.table_method();
    p.residency = Residency::kResident;
    p.rate = Probe::Rate::kBytes;
    p.keys = {"shared.read"};
    all.push_back(std::move(p));
  }
  return all;
}

std::vector<Probe> level_probes(const Backend& b, const std::vector<double>& edges,
                                std::size_t index, const std::string& level) {
  std::vector<Probe> all;
  const LevelRange range = inside_level(edges, index);
  for (const Kind& kind : kKinds)
    for (const double part : {0.5, 0.75, 1.0}) {
      const double bytes = part * range.high;
      if (bytes < range.low) continue;
      Probe p = resident_stream(b, kind, bytes, Scope::kShared);
      p.keys = {level + "." + kind.name};
      add_ways(b, p, all);
    }
  return all;
}

std::vector<Probe> mix_probes(const Backend& b, Depth depth) {
  struct Ratio {
    int64_t reads, writes;
    std::vector<std::string> keys;
  };
  const std::vector<Ratio> ratios{{0, 1, {"dram.write"}},   {1, 3, {"dram.mix_1:3"}},
                                  {1, 2, {"dram.mix_1:2"}}, {1, 1, {"dram.copy"}},
                                  {2, 1, {"dram.mix_2:1"}}, {3, 1, {"dram.mix_3:1"}},
                                  {1, 0, {"dram.read"}}};
  const double bytes = most_bytes(b, 8);
  const auto count = static_cast<int64_t>(bytes / 4);
  const auto probe = [&](const Ratio& ratio, int64_t burst) {
    Probe p;
    p.call = {"stream_mix", {count, ratio.reads, ratio.writes, burst}, Dtype::kF32, ""};
    p.method = b.table_method();
    p.rate = Probe::Rate::kBytes;
    return p;
  };
  std::vector<Probe> all;
  for (const Ratio& ratio : ratios)
    for (const int64_t burst : {int64_t{64}, int64_t{1024}, int64_t{1} << 16}) {
      Probe p = probe(ratio, burst);
      p.keys = ratio.keys;
      p.sweep = "mix";
      p.x = static_cast<double>(ratio.reads) / static_cast<double>(ratio.reads + ratio.writes);
      add_ways(b, p, all);
    }
  if (depth == Depth::kQuick) return all;
  const double units = std::max(b.device().units, 1);
  for (const double turn : octaves(4096, 64 << 20, 4)) {
    // All units together move `turn` bytes one way before they turn.
    const auto burst = static_cast<int64_t>(turn / units / 4) / 256 * 256;
    if (burst < 256) continue;
    Probe p = probe(ratios[3], burst);
    p.sweep = "burst";
    p.x = static_cast<double>(burst) * 4 * units;
    add_ways(b, p, all);
  }
  return all;
}

std::vector<Probe> pattern_probes(const Backend& b) {
  std::vector<Probe> all;
  const double span = most_bytes(b, 8);
  Probe p;
  p.rate = Probe::Rate::kBytes;
  p.method = b.table_method();
  for (int64_t stride = 1; stride <= 4096; stride *= 2) {
    const auto count = static_cast<int64_t>(span / 4) / stride;
    p.call = {"stride_read", {count, stride}, Dtype::kF32, ""};
    p.sweep = "stride.read";
    p.x = static_cast<double>(stride);
    add_ways(b, p, all);
  }
  for (const int64_t granule : {32, 64, 128}) {
    const auto rows = static_cast<int64_t>(span) / granule;
    p.x = static_cast<double>(granule);
    p.call = {"gather", {rows / 4, granule, rows}, Dtype::kF32, ""};
    p.sweep = "gather.read";
    add_ways(b, p, all);
    p.call = {"scatter", {rows / 4, granule, rows / 4}, Dtype::kF32, ""};
    p.sweep = "scatter.write";
    add_ways(b, p, all);
  }
  const int64_t page = on_cpu(b) ? 4096 : 2 << 20;
  const double reach = std::min(on_cpu(b) ? double{1 << 30} : double{int64_t{8} << 30},
                                static_cast<double>(b.device().memory_bytes) / 8);
  for (const double bytes : octaves(static_cast<double>(16 * page), reach, 2)) {
    all.push_back(chase(bytes, page, 1));
    all.back().sweep = "tlb";
  }
  return all;
}

std::vector<Probe> latency_probes(const Backend& b, Depth depth) {
  std::vector<Probe> all;
  const double most = most_bytes(b, 4);
  for (const double bytes : octaves(4096, most, depth == Depth::kQuick ? 4 : std::sqrt(2.0))) {
    Probe p = chase(bytes, on_cpu(b) ? 64 : 128, 0.5);
    p.sweep = "latency";
    all.push_back(p);
  }
  return all;
}

}  // namespace ridge
