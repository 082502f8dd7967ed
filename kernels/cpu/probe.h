#pragma once
#include <algorithm>

#include "kernels/cpu/simd.h"

// Loops that are as fast as the loads and stores in them, for probes of memory. Only for cpu.cpp
// files of operators, as simd.h.
namespace ridge {

// The index after `at` in a loop that goes round and round over [0, n) in steps that divide n. Such
// a loop has no branch at the end of a pass, which is mispredicted and costs more than a small
// pass. A step should take 8 cycles, more than finding the next one.
inline int64_t next_round(int64_t at, int64_t step, int64_t n) {
  at += step;
  at &= -static_cast<int64_t>(at != n);
  asm volatile("" : "+r"(at));  // unknown to the compiler, so that each pass is its own
  return at;
}

// Sum of n elements, `passes` times over: added up in f32, so n · passes must stay small (some
// 10^4). `x` should be aligned to a vector.
inline float sum_small(const float* x, int64_t n, int64_t passes) {
  using simd::Floats;
  using simd::kLanes;
  // Independent, so that additions do not wait for each other: two in a cycle, of 2 to 4 cycles.
  constexpr int kSums = 8;
  constexpr int kVectors = 2 * kSums;
  constexpr int64_t kStep = kVectors * kLanes;
  Floats sums[kSums] = {};
  const auto add = [&](int64_t i) {
#pragma GCC unroll 16
    for (int s = 0; s < kVectors; ++s) sums[s % kSums] += simd::load(x + i + s * kLanes);
  };
  float rest = 0;
  if (n % kStep == 0) {
    int64_t i = 0;
    for (int64_t left = n / kStep * passes; left > 0; --left, i = next_round(i, kStep, n)) add(i);
  } else {
    for (int64_t pass = 0; pass < passes; ++pass) {
      int64_t i = 0;
      for (; i + kStep <= n; i += kStep) add(i);
      for (; i + kLanes <= n; i += kLanes) sums[0] += simd::load(x + i);
      for (; i < n; ++i) rest += x[i];
      asm volatile("" ::: "memory");
    }
  }
  for (int s = kSums / 2; s > 0; s /= 2)
    for (int k = 0; k < s; ++k) sums[k] += sums[k + s];
  return rest + simd::sum(sums[0]);
}

constexpr int64_t kSmallSum = 16384;

inline double sum_once(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kSmallSum)
    sum += static_cast<double>(sum_small(x + i, std::min(kSmallSum, n - i), 1));
  return sum;
}

// Sum of n elements, `passes` times over.
inline double sum_passes(const float* x, int64_t n, int64_t passes) {
  const int64_t together = std::max<int64_t>(kSmallSum / std::max<int64_t>(n, 1), 1);
  double sum = 0;
  for (int64_t pass = 0; pass < passes; pass += together)
    sum += together == 1 ? sum_once(x, n)
                         : static_cast<double>(sum_small(x, n, std::min(together, passes - pass)));
  return sum;
}

}  // namespace ridge
