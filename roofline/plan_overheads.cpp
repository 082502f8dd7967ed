#include <algorithm>
#include <iterator>
#include <numeric>

#include "kernels/core/operators.h"
#include "roofline/plan.h"

namespace ridge {
namespace {

bool on_cpu(const Backend& b) { return b.device().kind == "cpu"; }

constexpr int64_t kGpuStep = 64;                      // elements
constexpr int64_t kGpuTiles[] = {64, 128, 192, 256};  // what libraries cut either dim into
constexpr int64_t kWaves = 4;

int64_t tiles(int64_t elements, int64_t tile) { return (elements + tile - 1) / tile; }

// Whether steps tell rows of so many tiles from waves of `units`. A wave is clearly longer than a
// row, and new waves start after rows that have no divisor in common, which would look like one
// taller row.
bool tells_tiles(int64_t units, int64_t across) {
  int64_t common = 0;
  for (int64_t wave = 1; wave <= kWaves; ++wave) common = std::gcd(common, wave * units / across);
  return common == 1 && 5 * units >= 8 * across;
}

// The dim to hold: the longest, because waves are then the shortest, that tells most of the tiles.
int64_t held_dim(int64_t units) {
  int64_t held = kGpuStep;
  std::ptrdiff_t most = 0;
  for (int64_t d = 5 * units / 8 * kGpuStep; d > 0; d -= kGpuStep)
    if (const auto told =
            std::count_if(std::begin(kGpuTiles), std::end(kGpuTiles),
                          [&](int64_t tile) { return tells_tiles(units, tiles(d, tile)); });
        told > most) {
      most = told;
      held = d;
    }
  return held;
}

}  // namespace

std::vector<Probe> overhead_probes(const Backend& b, Depth depth) {
  std::vector<Probe> all;
  Probe p;
  p.rate = Probe::Rate::kSeconds;
  p.call = {"copy", {1, 64}, Dtype::kF32, ""};
  p.keys = {"launch.stream"};
  all.push_back(p);
  if (b.table_method() == Method::kGraph) {
    p.method = Method::kGraph;
    p.keys = {"launch.graph"};
    all.push_back(p);
  }
  constexpr int64_t kRounds = 64;
  p.method = b.table_method();
  p.call = {"barrier", {std::max(b.device().units, 1), kRounds}, Dtype::kF32, ""};
  p.per = kRounds;
  p.keys = {"barrier"};
  all.push_back(p);
  if (depth == Depth::kQuick) return all;
  p.per = 1;
  p.keys.clear();
  p.sweep = "copy_size";
  p.residency = Residency::kResident;
  for (int64_t cols = 128; cols <= 1 << 20; cols *= 2) {
    p.call = {"copy", {1, cols}, Dtype::kF32, ""};
    p.x = 8.0 * static_cast<double>(cols);
    all.push_back(p);
  }
  return all;
}

StaircasePlan staircase_plan(const Backend& b) {
  const bool cpu = on_cpu(b);
  const int64_t units = std::max(b.device().units, 1);
  const int64_t step = cpu ? 16 : kGpuStep, held = cpu ? 512 : held_dim(units);
  const int64_t k = cpu ? 512 : 4096;
  constexpr int64_t kTallest = 256;
  const int64_t most = cpu ? 512 : kWaves * units / tiles(held, kTallest) * kTallest;
  // GPUs: rows of C that are no whole 16 bytes are written slower, which would hide the tiles.
  const int64_t little = cpu ? 1 : 8;
  const int64_t noise_every = cpu ? 1 : 4;  // steps; to save time
  StaircasePlan plan{
      .probes = {}, .step = static_cast<double>(step), .held = static_cast<double>(held)};
  const auto add = [&](bool along_m, int64_t x) {
    Probe p;
    p.call = {
        "gemm", {along_m ? x : held, along_m ? held : x, k}, cpu ? Dtype::kF32 : Dtype::kF16, ""};
    p.method = b.table_method();
    p.residency = Residency::kResident;
    p.rate = Probe::Rate::kSeconds;
    p.sweep = along_m ? "staircase.m" : "staircase.n";
    p.x = static_cast<double>(x);
    plan.probes.push_back(std::move(p));
  };
  for (const bool along_m : {true, false})
    for (int64_t x = step; x <= most; x += step) {
      if (x / step % noise_every == 0) add(along_m, x - little);
      add(along_m, x);
      add(along_m, x + little);
    }
  return plan;
}

}  // namespace ridge
