#pragma once
#include <cmath>

#include "kernels/argmax/argmax.h"
#include "kernels/cuda/vector.cuh"

namespace ridge::argmax {

constexpr int kThreads = 256;
constexpr int kNone = 0x7fffffff;  // no element beat −∞

struct Best {
  float value;
  int index;
};

__device__ inline Best better_of(Best a, Best b) {
  return better(b.value, b.index, a.value, a.index) ? b : a;
}

// The best of a block's threads, in thread 0.
__device__ inline Best block_best(Best mine) {
  __shared__ float values[kThreads / 32];
  __shared__ int indices[kThreads / 32];
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const float value = __shfl_xor_sync(0xffffffffu, mine.value, lanes);
    const int index = __shfl_xor_sync(0xffffffffu, mine.index, lanes);
    mine = better_of(mine, {value, index});
  }
  if (threadIdx.x % 32 == 0) {
    values[threadIdx.x / 32] = mine.value;
    indices[threadIdx.x / 32] = mine.index;
  }
  __syncthreads();
  if (threadIdx.x == 0)
    for (int w = 1; w < kThreads / 32; ++w) mine = better_of(mine, {values[w], indices[w]});
  __syncthreads();  // the arrays may be used again
  return mine;
}

// This thread's best of columns [first, last) of a row at any alignment. A pack is reduced to its
// maximum; which of its elements that was is looked up once, at the end.
template <class T>
__device__ inline Best thread_best(const T* row, int first, int last) {
  constexpr int kCount = cuda::Pack<T>::kCount;
  Best best{-INFINITY, kNone};
  const auto take = [&](float value, int index) {
    if (value > best.value) best = {value, index};
  };
  const int thread = static_cast<int>(threadIdx.x);
  const auto past = static_cast<int>(reinterpret_cast<uintptr_t>(row + first) % 16 / sizeof(T));
  const int aligned = min(past == 0 ? first : first + kCount - past, last);
  const int packs = (last - aligned) / kCount, rest = aligned + packs * kCount;
  if (first + thread < aligned) take(cuda::to_float(row[first + thread]), first + thread);
#pragma unroll 4
  for (int p = thread; p < packs; p += kThreads) {
    const cuda::Pack<T> pack = cuda::load_pack(row + aligned + p * kCount);
    float largest = cuda::to_float(pack.v[0]);
#pragma unroll
    for (int i = 1; i < kCount; ++i) largest = fmaxf(largest, cuda::to_float(pack.v[i]));
    take(largest, aligned + p * kCount);
  }
  if (rest + thread < last) take(cuda::to_float(row[rest + thread]), rest + thread);
  if (best.index != kNone)
    while (cuda::to_float(row[best.index]) != best.value) ++best.index;
  return best;
}

// Blocks (x: rows, y: parts of a row, `step` columns each). With several parts the block that is
// done last combines them: partial[rows, parts] is scratch, arrived[rows] must be 0 and is again 0
// afterwards.
template <class T>
__global__ void __launch_bounds__(kThreads) argmax(const T* __restrict__ x, int cols, int step,
                                                   int2* partial, unsigned* arrived, int32_t* out) {
  const int64_t row = blockIdx.x;
  const auto part = static_cast<int>(blockIdx.y), parts = static_cast<int>(gridDim.y);
  Best best = block_best(thread_best(x + row * cols, part * step, min(part * step + step, cols)));
  if (parts > 1) {
    __shared__ unsigned before;
    if (threadIdx.x == 0) {
      partial[row * parts + part] = make_int2(__float_as_int(best.value), best.index);
      __threadfence();
      before = atomicAdd(&arrived[row], 1u);
    }
    __syncthreads();
    if (before != static_cast<unsigned>(parts - 1)) return;
    __threadfence();
    best = {-INFINITY, kNone};
    for (int p = static_cast<int>(threadIdx.x); p < parts; p += kThreads) {
      const int2 other = __ldcg(&partial[row * parts + p]);
      best = better_of(best, {__int_as_float(other.x), other.y});
    }
    best = block_best(best);
    if (threadIdx.x == 0) arrived[row] = 0;
  }
  if (threadIdx.x == 0) out[row] = best.index == kNone ? 0 : best.index;
}

}  // namespace ridge::argmax
