#pragma once
#include "kernels/cuda/probe.cuh"
#include "kernels/memory_mix/memory_mix.h"

namespace ridge::memory_mix {

using cuda::Cache;
using cuda::Pack;

constexpr int kThreads = 256;
constexpr int kUnroll = 4;
constexpr int kBlocksPerUnit = 8;  // of a multiprocessor: as many threads as the largest hold

// Threads that work on a group together: those of a warp, or of a block where a burst has several
// accesses for each of them.
constexpr int64_t kLongBurst = int64_t{kThreads} * kUnroll * Pack<float>::kCount;
inline int team(const Dims& d) { return d.burst >= kLongBurst ? kThreads : 32; }

// What thread `t` of a team reads of n elements.
template <int kTeam>
__device__ inline float read_burst(const float* x, int64_t n, int t) {
  constexpr int64_t kStride = int64_t{kTeam} * Pack<float>::kCount;
  int64_t i = static_cast<int64_t>(t) * Pack<float>::kCount;
  float sums[kUnroll] = {};
  for (; i + (kUnroll - 1) * kStride < n; i += kUnroll * kStride) {
    Pack<float> v[kUnroll];
#pragma unroll
    for (int s = 0; s < kUnroll; ++s)
      v[s] = cuda::probe_load<Cache::kStreaming>(x + i + s * kStride);
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) sums[s] += cuda::sum(v[s]);
  }
  for (; i < n; i += kStride) sums[0] += cuda::sum(cuda::probe_load<Cache::kStreaming>(x + i));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <int kTeam>
__device__ inline void write_burst(const Pack<float>& pattern, float* y, int64_t n, int t) {
  constexpr int64_t kStride = int64_t{kTeam} * Pack<float>::kCount;
#pragma unroll 4
  for (int64_t i = static_cast<int64_t>(t) * Pack<float>::kCount; i < n; i += kStride)
    cuda::probe_store<Cache::kStreaming>(y + i, pattern);
}

// Team u takes the groups u, u + teams, …
template <int kTeam>
__global__ void __launch_bounds__(kThreads, 4)
    move_groups(const float* __restrict__ pattern, const float* __restrict__ x,
                float* __restrict__ y, float* __restrict__ z, Dims d) {
  constexpr int kTeams = kThreads / kTeam;
  const int t = static_cast<int>(threadIdx.x) % kTeam;
  Pack<float> own = {};
  if (d.writes > 0) own = cuda::load_pack(pattern + t * Pack<float>::kCount % kPattern);
  const int64_t groups = d.groups(), step = static_cast<int64_t>(gridDim.x) * kTeams;
  for (int64_t g = blockIdx.x * int64_t{kTeams} + threadIdx.x / kTeam; g < groups; g += step) {
    cuda::LongSum sum;
    const int64_t turns = d.reads > d.writes ? d.reads : d.writes;
    for (int64_t turn = 0; turn < turns; ++turn) {
      if (turn < d.reads)
        sum.add(read_burst<kTeam>(x + (g * d.reads + turn) * d.burst, d.burst, t));
      if (turn < d.writes) write_burst<kTeam>(own, y + (g * d.writes + turn) * d.burst, d.burst, t);
    }
    if (d.reads == 0) continue;
    const float total = kTeam == 32 ? cuda::warp_sum(sum.total) : cuda::block_sum(sum.total);
    if (t == 0) z[g] = total;
    if (kTeam > 32) __syncthreads();
  }
}

}  // namespace ridge::memory_mix
