#pragma once
#include <cfloat>

#include "kernels/cuda/row.cuh"

namespace ridge::softmax {

using cuda::Pack;
using cuda::Reuse;

// Stands for −∞ where elements are missing, without its NaN when two are subtracted.
constexpr float kLowest = -FLT_MAX;

// A row in registers: launched by cuda::row_launch with its `packs` > 0.
template <class T, int kPacks, Reuse reuse>
__global__ void __launch_bounds__(1024)
    softmax_kept(const T* __restrict__ x, T* __restrict__ y, int64_t rows, int64_t cols) {
  constexpr int kCount = Pack<T>::kCount;
  const int64_t r = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= rows) return;  // whole warps, each with a row of its own
  const cuda::RowPacks<T> row(r, cols);
  const int threads = static_cast<int>(blockDim.x), first = static_cast<int>(threadIdx.x);
  Pack<T> loaded[kPacks];
#pragma unroll
  for (int s = 0; s < kPacks; ++s)
    loaded[s] = row.template load<reuse>(x, first + s * threads, cuda::from_float<T>(-INFINITY));
  float value[kPacks][kCount], largest = kLowest;
#pragma unroll
  for (int s = 0; s < kPacks; ++s)
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      value[s][i] = cuda::to_float(loaded[s].v[i]);
      largest = fmaxf(largest, value[s][i]);
    }
  largest = cuda::reduce_row(largest, cuda::Largest{}, kLowest);
  float sum = 0;
#pragma unroll
  for (int s = 0; s < kPacks; ++s)
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      value[s][i] = __expf(value[s][i] - largest);
      sum += value[s][i];
    }
  const float factor = 1.0f / cuda::reduce_row(sum, cuda::Sum{}, 0.0f);
#pragma unroll
  for (int s = 0; s < kPacks; ++s) {
    const int pack = first + s * threads;
    if (pack >= row.packs) continue;
    Pack<T> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i) out.v[i] = cuda::from_float<T>(value[s][i] * factor);
    row.template store<reuse>(y, pack, out);
  }
}

// Any width, a block to a row: the maximum and the sum are found together in one pass, the sum
// rescaled whenever the maximum grows (Milakov and Gimelshein, arXiv:1805.02867); the second pass
// reads the row again.
template <class T>
__global__ void __launch_bounds__(1024)
    softmax_online(const T* __restrict__ x, T* __restrict__ y, int64_t rows, int64_t cols) {
  constexpr int kCount = Pack<T>::kCount;
  const int64_t r = blockIdx.x;
  if (r >= rows) return;
  const cuda::RowPacks<T> row(r, cols);
  const int threads = static_cast<int>(blockDim.x), first = static_cast<int>(threadIdx.x);
  const T missing = cuda::from_float<T>(-INFINITY);
  float largest = kLowest, sum = 0;
#pragma unroll 4
  for (int pack = first; pack < row.packs; pack += threads) {
    const Pack<T> v = row.template load<Reuse::kCached>(x, pack, missing);
    float high = largest;
#pragma unroll
    for (int i = 0; i < kCount; ++i) high = fmaxf(high, cuda::to_float(v.v[i]));
    sum *= __expf(largest - high);
    largest = high;
#pragma unroll
    for (int i = 0; i < kCount; ++i) sum += __expf(cuda::to_float(v.v[i]) - largest);
  }
  const float all = cuda::reduce_row(largest, cuda::Largest{}, kLowest);
  const float factor = 1.0f / cuda::reduce_row(sum * __expf(largest - all), cuda::Sum{}, 0.0f);
#pragma unroll 4
  for (int pack = first; pack < row.packs; pack += threads) {
    const Pack<T> v = row.template load<Reuse::kCached>(x, pack, missing);
    Pack<T> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      out.v[i] = cuda::from_float<T>(__expf(cuda::to_float(v.v[i]) - all) * factor);
    row.template store<Reuse::kStreaming>(y, pack, out);
  }
}

}  // namespace ridge::softmax
