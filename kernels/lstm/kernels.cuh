#pragma once
#include "kernels/cuda/vector.cuh"

namespace ridge::lstm {

constexpr int kPackThreads = 256;

// to[i] = from[i] · scale, a power of two, over a grid of any size.
template <class T>
__global__ void __launch_bounds__(kPackThreads)
    scale_copy(const T* __restrict__ from, T* __restrict__ to, int64_t count, float scale) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride)
    to[i] = cuda::from_float<T>(cuda::to_float(from[i]) * scale);
}

}  // namespace ridge::lstm
