#include "calibrate/import_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace ridge {
namespace {

double squared_distance(const Call& a, const Call& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.dims.size(); ++i) {
    const double apart = std::log2(static_cast<double>(std::max<int64_t>(a.dims[i], 1)) /
                                   static_cast<double>(std::max<int64_t>(b.dims[i], 1)));
    sum += apart * apart;
  }
  return sum;
}

}  // namespace

// The farthest from what is measured, of a few drawn at random, as Planner::take_candidate does.
std::vector<std::size_t> choose_points(const std::vector<Call>& pool, std::size_t count,
                                       const std::function<double(std::size_t)>& ask,
                                       const DeviceInfo& /*device*/, const Ceilings& /*ceilings*/) {
  constexpr std::size_t kLooks = 8;
  std::vector<std::size_t> left(pool.size()), chosen;
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<double> nearest(pool.size(), std::numeric_limits<double>::infinity());
  std::mt19937_64 rng(1);
  while (!left.empty() && chosen.size() < count) {
    std::uniform_int_distribution<std::size_t> any(0, left.size() - 1);
    std::size_t best = any(rng);
    for (std::size_t i = 1; i < kLooks; ++i)
      if (const std::size_t other = any(rng); nearest[left[other]] > nearest[left[best]])
        best = other;
    const std::size_t index = left[best];
    left[best] = left.back();
    left.pop_back();
    (void)ask(index);
    chosen.push_back(index);
    for (const std::size_t i : left)
      nearest[i] = std::min(nearest[i], squared_distance(pool[i], pool[index]));
  }
  return chosen;
}

}  // namespace ridge
