#pragma once
#include "kernels/barrier/barrier.h"
#include "kernels/cuda/vector.cuh"

namespace ridge::barrier {

// Part p is block p; `wait` makes all blocks wait for each other. Values of odd rounds are in the
// first half of the scratch memory, those of even ones in the second, read past the L1, which may
// hold what was there two rounds ago.
template <class Wait>
__device__ inline void pass_on(const float* x, float* scratch, float* y, Dims d, Wait wait) {
  const int64_t p = blockIdx.x, next = p + 1 < d.parts ? p + 1 : 0;
  for (int64_t round = 1; round <= d.rounds; ++round) {
    if (threadIdx.x == 0) {
      const float* from = scratch + (round % 2 * d.parts + next) * kApart;
      float* to = scratch + ((round + 1) % 2 * d.parts + p) * kApart;
      const float v = (round == 1 ? x[next] : __ldcg(from)) + 1;
      __stcg(round == d.rounds ? y + p : to, v);
    }
    if (round < d.rounds) wait();
  }
}

}  // namespace ridge::barrier
