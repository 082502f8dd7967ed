#pragma once
#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/cpu_info.h"

namespace ridge {

// Below this many bytes moved, waking the other threads costs more than they save.
constexpr int64_t kSerialBytes = 96 * 1024;

// Outputs of a call that moves more than this are not in the cache any more when something reads
// them, so they are written past it.
inline int64_t streaming_threshold_bytes() {
  static const int64_t half = std::max<int64_t>(detect_cpu(1).last_level_cache_bytes / 2, 1 << 20);
  return half;
}

// Calls f(first, last) on contiguous parts of [0, count), one a thread, cut at multiples of
// `grain`. `bytes` is what the whole call moves.
template <class F>
void parallel_ranges(int threads, int64_t bytes, int64_t count, int64_t grain, const F& f) {
  const int64_t grains = (count + grain - 1) / grain;
  const int team = static_cast<int>(std::min<int64_t>(threads, grains));
  if (team <= 1 || bytes < kSerialBytes) {
    f(int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(team)
  {
    const int64_t t = omp_get_thread_num(), n = omp_get_num_threads();
    const int64_t first = grains * t / n * grain;
    const int64_t last = std::min(grains * (t + 1) / n * grain, count);
    if (first < last) f(first, last);
  }
}

}  // namespace ridge
