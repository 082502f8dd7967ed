#include <algorithm>
#include <numeric>

#include "kernels/core/operators.h"
#include "roofline/plan.h"

namespace ridge {
namespace {

bool on_cpu(const Backend& b) { return b.device().kind == "cpu"; }

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
  StaircasePlan plan;
  const int64_t units = std::max(b.device().units, 1);
  const Dtype dtype = on_cpu(b) ? Dtype::kF32 : Dtype::kF16;
  plan.step = on_cpu(b) ? 16 : 64;
  // GPUs: tiles of 128 across that share no divisor with the multiprocessors, or a wave would look
  // like a tile; about five rows of them fill a wave.
  int64_t across = std::max<int64_t>(units / 5, 1);
  while (std::gcd(across, units) != 1) --across;
  plan.other = on_cpu(b) ? 512 : static_cast<double>(across * 128);
  const int64_t held = static_cast<int64_t>(plan.other), k = on_cpu(b) ? 512 : 4096;
  const int64_t most = on_cpu(b) ? 512 : 128 * (5 * units / across + 2);
  for (const bool along_m : {true, false})
    for (auto x = static_cast<int64_t>(plan.step); x <= most; x += static_cast<int64_t>(plan.step))
      for (const int64_t at : {x - 1, x, x + 1}) {
        Probe p;
        p.call = {"gemm", {along_m ? at : held, along_m ? held : at, k}, dtype, ""};
        p.method = b.table_method();
        p.residency = Residency::kResident;
        p.rate = Probe::Rate::kSeconds;
        p.sweep = along_m ? "staircase.m" : "staircase.n";
        p.x = static_cast<double>(at);
        plan.probes.push_back(std::move(p));
      }
  return plan;
}

}  // namespace ridge
