#pragma once
#include "kernels/cuda/vector.cuh"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {

// One warp for each scheduler of a multiprocessor.
constexpr int kThreads = 128;

// One multiply-add of every chain in a register. Load reads the start of chains `at` and, where a
// register has two, at + 1; store writes them.
template <class T>
struct Lane {  // float, double
  using Type = T;
  using Scalar = T;
  using Out = T;
  static constexpr int kChains = 1;
  static constexpr Scalar kM = static_cast<T>(kMultiplier), kD1 = static_cast<T>(kFirst),
                          kD2 = static_cast<T>(kSecond);
  static __device__ Type same(Scalar a) { return a; }
  static __device__ Type step(Type x, Type m, Type d) { return fma(x, m, d); }
  static __device__ Type load(const T* c, int64_t at, int64_t n) { return at < n ? c[at] : T{0}; }
  static __device__ void store(Out* y, int64_t at, int64_t n, Type x) {
    if (at < n) y[at] = x;
  }
};

// Two chains in a register.
template <class T, class Pair>
struct HalfLane {
  using Type = Pair;
  using Scalar = float;
  using Out = float;
  static constexpr int kChains = 2;
  static constexpr float kM = kMultiplier, kD1 = kFirst, kD2 = kSecond;
  static __device__ Pair same(float a) { return {cuda::from_float<T>(a), cuda::from_float<T>(a)}; }
  static __device__ Pair load(const T* c, int64_t at, int64_t n) {
    const T zero = cuda::from_float<T>(0.0f);
    return {at < n ? c[at] : zero, at + 1 < n ? c[at + 1] : zero};
  }
  static __device__ void store(float* y, int64_t at, int64_t n, Pair x) {
    if (at < n) y[at] = cuda::to_float(x.x);
    if (at + 1 < n) y[at + 1] = cuda::to_float(x.y);
  }
};
template <>
struct Lane<__half> : HalfLane<__half, __half2> {
  static __device__ __half2 step(__half2 x, __half2 m, __half2 d) { return __hfma2(x, m, d); }
};
template <>
struct Lane<__nv_bfloat16> : HalfLane<__nv_bfloat16, __nv_bfloat162> {
  static __device__ __nv_bfloat162 step(__nv_bfloat162 x, __nv_bfloat162 m, __nv_bfloat162 d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    __trap();  // no bf16 arithmetic there; the host never launches it
    return x;
#else
    return __hfma2(x, m, d);
#endif
  }
};

// Integers in assembler, whose steps no compiler rewrites. Unsigned inside: it may go round.
struct IntLane {
  using Type = uint32_t;
  using Scalar = uint32_t;
  using Out = int32_t;
  static constexpr int kChains = 1;
  static constexpr uint32_t kD1 = static_cast<uint32_t>(kIntFirst),
                            kD2 = static_cast<uint32_t>(kIntSecond);
  static __device__ uint32_t same(uint32_t a) { return a; }
  static __device__ void store(int32_t* y, int64_t at, int64_t n, uint32_t x) {
    if (at < n) y[at] = static_cast<int32_t>(x);
  }
};
template <>
struct Lane<int32_t> : IntLane {
  static constexpr uint32_t kM = static_cast<uint32_t>(kIntMultiplier);
  static __device__ uint32_t step(uint32_t x, uint32_t m, uint32_t d) {
#if defined(__CUDA_ARCH__)
    asm volatile("mad.lo.u32 %0, %0, %1, %2;" : "+r"(x) : "r"(m), "r"(d));
    return x;
#else
    return x * m + d;
#endif
  }
  static __device__ uint32_t load(const int32_t* c, int64_t at, int64_t n) {
    return at < n ? static_cast<uint32_t>(c[at]) : 0;
  }
};
template <>
struct Lane<int8_t> : IntLane {
  static constexpr uint32_t kM = static_cast<uint32_t>(kByteMultiplier);
  static __device__ uint32_t step(uint32_t x, uint32_t m, uint32_t d) {
#if defined(__CUDA_ARCH__)
    asm volatile("dp4a.s32.s32 %0, %0, %1, %2;" : "+r"(x) : "r"(m), "r"(d));
    return x;
#else
    for (int i = 0; i < 4; ++i)
      d += static_cast<uint32_t>(static_cast<int8_t>(x >> (8 * i)) *
                                 static_cast<int8_t>(m >> (8 * i)));
    return d;
#endif
  }
  static __device__ uint32_t load(const int8_t* c, int64_t at, int64_t n) {
    return at < n ? reinterpret_cast<const uint32_t*>(c)[at] : 0;
  }
};

// Bodies of 256 to 768 instructions: the loop around them costs less than 1 %, and they stay in the
// instruction cache.
constexpr int pairs_unrolled(int ilp) { return ilp == 1 ? 128 : ilp >= 8 ? 256 / 8 : 256 / ilp; }

// The constants are arguments, so that the compiler does not know them.
template <class T, int kIlp>
__global__ void __launch_bounds__(kThreads)
    fma_chains(const T* __restrict__ c, typename Lane<T>::Out* __restrict__ y, int64_t chains,
               int rounds, typename Lane<T>::Scalar multiplier, typename Lane<T>::Scalar first,
               typename Lane<T>::Scalar second) {
  using L = Lane<T>;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t base = thread * kIlp * L::kChains;
  if (base >= chains) return;
  typename L::Type x[kIlp];
#pragma unroll
  for (int i = 0; i < kIlp; ++i) x[i] = L::load(c, base + i * L::kChains, chains);
  const typename L::Type m = L::same(multiplier);
  typename L::Type d1 = L::same(first), d2 = L::same(second);
  [[maybe_unused]] constexpr int kUnroll = pairs_unrolled(kIlp);
#pragma unroll 1
  for (int r = 0; r < rounds; ++r) {
#pragma unroll kUnroll
    for (int pair = 0; pair < kFmasPerRound / 2; ++pair) {
#pragma unroll
      for (int i = 0; i < kIlp; ++i) x[i] = L::step(x[i], m, d1);
#pragma unroll
      for (int i = 0; i < kIlp; ++i) x[i] = L::step(x[i], m, d2);
    }
    const typename L::Type swapped = d1;
    d1 = d2;
    d2 = swapped;
  }
#pragma unroll
  for (int i = 0; i < kIlp; ++i) L::store(y, base + i * L::kChains, chains, x[i]);
}

}  // namespace ridge::fma_peak
