#pragma once
#include "kernels/cuda/vector.cuh"

namespace ridge::elementwise {

using cuda::Pack;
using cuda::Reuse;

constexpr int kThreads = 256;

struct Add {
  static constexpr int kInputs = 2;
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Mul {
  static constexpr int kInputs = 2;
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Silu {
  static constexpr int kInputs = 1;
  __device__ float operator()(float x, float) const { return x / (1.0f + __expf(-x)); }
};
struct Gelu {
  static constexpr int kInputs = 1;
  __device__ float operator()(float x, float) const {
    return 0.5f * x * (1.0f + erff(x * 0.707106781f));
  }
};
struct Copy {
  static constexpr int kInputs = 1;
  __device__ float operator()(float x, float) const { return x; }
};
struct SiluMul {
  static constexpr int kInputs = 2;
  __device__ float operator()(float gate, float up) const { return Silu{}(gate, up) * up; }
};

// Packs that a thread has in flight: with two 16-byte reads each, 256 threads times 8 blocks an SM
// keep 128 KiB on the way, several times what the latency of an H200's DRAM asks for.
template <class F>
constexpr int kUnroll = F::kInputs == 2 ? 2 : 4;

template <class F, class T>
__device__ inline Pack<T> apply(const Pack<T>& a, const Pack<T>& b) {
  Pack<T> y;
#pragma unroll
  for (int i = 0; i < Pack<T>::kCount; ++i)
    y.v[i] = cuda::from_float<T>(F{}(cuda::to_float(a.v[i]), cuda::to_float(b.v[i])));
  return y;
}

// y[i] = F(a[i], b[i]), all 16-byte aligned. One block writes kThreads · kUnroll packs.
template <class F, class T, Reuse reuse>
__global__ void __launch_bounds__(kThreads)
    map_flat(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ y, int64_t count) {
  constexpr int kCount = Pack<T>::kCount, kSteps = kUnroll<F>;
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kThreads * kSteps + threadIdx.x) * kCount;
  constexpr int64_t kStride = int64_t{kThreads} * kCount;
  Pack<T> va[kSteps], vb[kSteps];
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    const int64_t i = first + s * kStride;
    if (i + kCount > count) continue;
    va[s] = cuda::load_pack_as<reuse>(a + i);
    vb[s] = F::kInputs == 2 ? cuda::load_pack_as<reuse>(b + i) : va[s];
  }
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    const int64_t i = first + s * kStride;
    if (i + kCount <= count) {
      cuda::store_pack_as<reuse>(y + i, apply<F>(va[s], vb[s]));
    } else {
      for (int64_t j = i; j < count; ++j)
        y[j] = cuda::from_float<T>(
            F{}(cuda::to_float(a[j]), F::kInputs == 2 ? cuda::to_float(b[j]) : 0.0f));
    }
  }
}

// y[r, c] = silu(x[r, c]) · x[r, cols + c]. With kWidth > 1, cols is a multiple of it and accesses
// are of 16 bytes. One block writes kThreads · kUnroll pieces of kWidth elements.
template <class T, int kWidth, Reuse reuse>
__global__ void __launch_bounds__(kThreads)
    silu_mul(const T* __restrict__ x, T* __restrict__ y, int64_t rows, int64_t cols) {
  static_assert(kWidth == 1 || kWidth == Pack<T>::kCount);
  constexpr int kSteps = kUnroll<SiluMul>;
  const int64_t pieces_per_row = cols / kWidth, pieces = rows * pieces_per_row;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads * kSteps + threadIdx.x;
  Pack<T> gate[kSteps], up[kSteps];
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    const int64_t piece = first + s * kThreads;
    if (piece >= pieces) continue;
    const T* from = x + (piece / pieces_per_row * pieces_per_row + piece) * kWidth;
    if constexpr (kWidth > 1) {
      gate[s] = cuda::load_pack_as<reuse>(from);
      up[s] = cuda::load_pack_as<reuse>(from + cols);
    } else {
      gate[s].v[0] = from[0];
      up[s].v[0] = from[cols];
    }
  }
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    const int64_t piece = first + s * kThreads;
    if (piece >= pieces) continue;
    if constexpr (kWidth > 1)
      cuda::store_pack_as<reuse>(y + piece * kWidth, apply<SiluMul>(gate[s], up[s]));
    else
      y[piece] =
          cuda::from_float<T>(SiluMul{}(cuda::to_float(gate[s].v[0]), cuda::to_float(up[s].v[0])));
  }
}

}  // namespace ridge::elementwise
