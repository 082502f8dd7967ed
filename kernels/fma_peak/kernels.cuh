#pragma once
#include "kernels/cuda/vector.cuh"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {

constexpr int kThreads = 256;

// Independent operations of a thread: with four warps on each scheduler they cover the latency of
// the pipe several times.
constexpr int kIndependent = 8;

// What one instruction of the pipe works on: one f32, or two halves.
template <class T>
struct Lane;
template <>
struct Lane<float> {
  using Type = float;
  static constexpr int kChains = 1;
  static __device__ Type make(float a, float) { return a; }
  static __device__ Type fma(Type a, Type b, Type c) { return fmaf(a, b, c); }
  static __device__ float2 values(Type a) { return make_float2(a, 0.0f); }
};
template <>
struct Lane<__half> {
  using Type = __half2;
  static constexpr int kChains = 2;
  static __device__ Type make(float a, float b) { return __floats2half2_rn(a, b); }
  static __device__ Type fma(Type a, Type b, Type c) { return __hfma2(a, b, c); }
  static __device__ float2 values(Type a) { return __half22float2(a); }
};
template <>
struct Lane<__nv_bfloat16> {
  using Type = __nv_bfloat162;
  static constexpr int kChains = 2;
  static __device__ Type make(float a, float b) { return __floats2bfloat162_rn(a, b); }
  static __device__ Type fma(Type a, Type b, Type c) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    __trap();  // no bf16 arithmetic there; the host never launches it
    return a;
#else
    return __hfma2(a, b, c);
#endif
  }
  static __device__ float2 values(Type a) { return __bfloat1622float2(a); }
};

template <class T>
constexpr int kChainsPerThread = kIndependent* Lane<T>::kChains;

// `first` and `second` are arguments, so that the compiler does not know them.
template <class T>
__global__ void __launch_bounds__(kThreads)
    fma_chains(const T* __restrict__ c, float* __restrict__ y, int64_t chains, int rounds,
               float first, float second) {
  using L = Lane<T>;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t base = thread * kChainsPerThread<T>;
  auto load = [&](int64_t i) { return i < chains ? cuda::to_float(c[i]) : 0.0f; };
  typename L::Type x[kIndependent], add[kIndependent];
  float2 sum[kIndependent];
#pragma unroll
  for (int i = 0; i < kIndependent; ++i) {
    const int64_t at = base + i * L::kChains;
    add[i] = L::make(load(at), load(at + 1));
    x[i] = L::make(0.0f, 0.0f);
    sum[i] = make_float2(0.0f, 0.0f);
  }
  const typename L::Type b1 = L::make(first, first), b2 = L::make(second, second);
  for (int r = 0; r < rounds; ++r) {
#pragma unroll 16
    for (int step = 0; step < kFmasPerRound / 2; ++step) {
#pragma unroll
      for (int i = 0; i < kIndependent; ++i) x[i] = L::fma(x[i], b1, add[i]);
#pragma unroll
      for (int i = 0; i < kIndependent; ++i) x[i] = L::fma(x[i], b2, add[i]);
    }
#pragma unroll
    for (int i = 0; i < kIndependent; ++i) {
      const float2 v = L::values(x[i]);
      sum[i].x += v.x;
      sum[i].y += v.y;
    }
  }
#pragma unroll
  for (int i = 0; i < kIndependent; ++i) {
    const int64_t at = base + i * L::kChains;
    if (at < chains) y[at] = sum[i].x;
    if (L::kChains == 2 && at + 1 < chains) y[at + 1] = sum[i].y;
  }
}

}  // namespace ridge::fma_peak
