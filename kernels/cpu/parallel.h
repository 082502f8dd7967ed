#pragma once
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <vector>

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

// The combination of one value a thread, for teams that work on a row together.
class TeamValue {
 public:
  explicit TeamValue(int threads) : slots_(static_cast<std::size_t>(threads)) {}

  // Called by every thread of the parallel region; all get the same.
  template <class F>
  float combine(float mine, const F& f) {
    slots_[static_cast<std::size_t>(omp_get_thread_num())].value = mine;
#pragma omp barrier
    float all = slots_[0].value;
    const auto n = static_cast<std::size_t>(omp_get_num_threads());
    for (std::size_t t = 1; t < n; ++t) all = f(all, slots_[t].value);
#pragma omp barrier
    return all;
  }

 private:
  struct alignas(128) Slot {
    float value = 0;
  };
  std::vector<Slot> slots_;
};

// Calls part(row, first column, last column, combine) over a tensor of rows · cols, where
// combine(value, f) turns what each caller of that row found into what all of them found. Rows go
// to threads; where there are fewer rows than threads, all threads work on each row. `part` may be
// called by several threads at once.
template <class F>
void parallel_rows(TeamValue& team, int threads, int64_t bytes, int64_t rows, int64_t cols,
                   const F& part) {
  const auto alone = [](float mine, const auto&) { return mine; };
  if (rows >= threads || bytes < kSerialBytes || threads == 1) {
    parallel_ranges(threads, bytes, rows, 1, [&](int64_t first, int64_t last) {
      for (int64_t r = first; r < last; ++r) part(r, int64_t{0}, cols, alone);
    });
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const int64_t t = omp_get_thread_num(), n = omp_get_num_threads();
    const auto together = [&](float mine, const auto& f) { return team.combine(mine, f); };
    // Cut at cache lines, so that no two threads write one.
    const int64_t lines = (cols + 15) / 16;
    const int64_t first = std::min(lines * t / n * 16, cols);
    const int64_t last = std::min(lines * (t + 1) / n * 16, cols);
    for (int64_t r = 0; r < rows; ++r) part(r, first, last, together);
  }
}

}  // namespace ridge
