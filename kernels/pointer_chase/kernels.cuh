#pragma once
#include "kernels/cuda/probe.cuh"
#include "kernels/pointer_chase/pointer_chase.h"

namespace ridge::pointer_chase {

// One thread. A step is a load and the multiply-add that turns its result into an address.
template <cuda::Cache cache>
__global__ void follow(const int* __restrict__ table, int* __restrict__ y, int64_t steps) {
  constexpr int kUnroll = 16;
  unsigned at = 0;
#pragma unroll 1
  for (; steps >= kUnroll; steps -= kUnroll) {
#pragma unroll
    for (int i = 0; i < kUnroll; ++i)
      at = static_cast<unsigned>(cuda::probe_load<cache>(table + at));
  }
  for (; steps > 0; --steps) at = static_cast<unsigned>(cuda::probe_load<cache>(table + at));
  *y = static_cast<int>(at);
}

}  // namespace ridge::pointer_chase
