#pragma once
#include "kernels/cuda/probe.cuh"
#include "kernels/memory_pattern/memory_pattern.h"

namespace ridge::memory_pattern {

using cuda::Cache;
using cuda::Pack;

constexpr int kThreads = 256;
constexpr int kStrideUnroll = 8;
static_assert(kStrideChunk % (kThreads * kStrideUnroll) == 0);

// Block c sums chunk c, an element with each load of a thread.
__global__ void __launch_bounds__(kThreads)
    sum_strided(const float* __restrict__ x, float* __restrict__ y, StrideDims d) {
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kStrideChunk;
  const int64_t last = first + kStrideChunk < d.count ? first + kStrideChunk : d.count;
  float sum = 0;
  int64_t i = first + threadIdx.x;
  for (; i + (kStrideUnroll - 1) * kThreads < last; i += kStrideUnroll * kThreads) {
    float v[kStrideUnroll];
#pragma unroll
    for (int s = 0; s < kStrideUnroll; ++s) v[s] = __ldcs(x + (i + s * kThreads) * d.stride);
#pragma unroll
    for (int s = 0; s < kStrideUnroll; ++s) sum += v[s];
  }
  for (; i < last; i += kThreads) sum += __ldcs(x + i * d.stride);
  sum = cuda::block_sum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

// kLanes threads move a row of 16 · kLanes bytes.
constexpr int kRowUnroll = 4;

// Block c sums the rows of chunk c.
template <int kLanes>
__global__ void __launch_bounds__(kThreads)
    sum_rows(const float* __restrict__ table, const int* __restrict__ index, float* __restrict__ y,
             RowDims d) {
  constexpr int kTeams = kThreads / kLanes;
  const float* column = table + threadIdx.x % kLanes * Pack<float>::kCount;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kRowChunk;
  const int64_t last = first + kRowChunk < d.rows ? first + kRowChunk : d.rows;
  float sum = 0;
  int64_t r = first + threadIdx.x / kLanes;
  for (; r + (kRowUnroll - 1) * kTeams < last; r += kRowUnroll * kTeams) {
    Pack<float> v[kRowUnroll];
#pragma unroll
    for (int s = 0; s < kRowUnroll; ++s)
      v[s] = cuda::load_pack_streaming(column + int64_t{index[r + s * kTeams]} * d.row());
#pragma unroll
    for (int s = 0; s < kRowUnroll; ++s) sum += cuda::sum(v[s]);
  }
  for (; r < last; r += kTeams)
    sum += cuda::sum(cuda::load_pack_streaming(column + int64_t{index[r]} * d.row()));
  sum = cuda::block_sum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

// Block c writes the rows of chunk c.
template <int kLanes>
__global__ void __launch_bounds__(kThreads)
    write_rows(const float* __restrict__ pattern, const int* __restrict__ index,
               float* __restrict__ table, RowDims d) {
  constexpr int kTeams = kThreads / kLanes;
  // Phases repeat every kPattern / kPhase rows, of which kTeams is a multiple.
  static_assert(kTeams % (kPattern / kPhase) == 0 && kRowChunk % (kPattern / kPhase) == 0);
  const int64_t team = threadIdx.x / kLanes, j = threadIdx.x % kLanes * Pack<float>::kCount;
  const Pack<float> own = cuda::load_pack(pattern + (kPhase * team + j) % kPattern);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kRowChunk;
  const int64_t last = first + kRowChunk < d.rows ? first + kRowChunk : d.rows;
#pragma unroll 4
  for (int64_t r = first + team; r < last; r += kTeams)
    cuda::store_pack_streaming(table + int64_t{index[r]} * d.row() + j, own);
}

}  // namespace ridge::memory_pattern
