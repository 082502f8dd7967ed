#pragma once
#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/core/dtype.h"
#include "kernels/fma_peak/fma_peak.h"

// Tensor-core loops with mma.sync, which every GPU since sm_75 has. Hopper's wgmma is faster than
// it (wgmma.cuh); f64 holds its fragments another way (mma_f64.cuh).
namespace ridge::fma_peak {

constexpr int kMmaThreads = 128;  // four warps, one unit and one scheduler each
constexpr int kColumnTiles = kColumns / 8;

// d[16, 8] += a[16, 32 bytes] · b[8, 32 bytes]^T. In every dtype a lane holds the same bytes of a
// and b: register r of `a` is the word of row lane/4 + 8·(r mod 2) at byte 4·(lane mod 4) +
// 16·(r/2), register r of `b` the word of row lane/4 at byte 4·(lane mod 4) + 16·r; d is that of
// row lane/4 + 8·(i/2), column 2·(lane mod 4) + i mod 2 (PTX ISA, "Matrix fragments for mma").
template <Dtype dtype>
struct Mma;

// What a fragment of d is held in, and how many steps are summed in it before f32 or int32 totals
// take over.
template <class T>
struct Parts {
  using Sum = T;
  using Part = T;
  static constexpr int kParts = 4;
  // A round, because fp8 accumulators keep few digits.
  static constexpr int kStepsPerFold = kStepsPerRound;
  static __device__ T value(const T (&d)[4], int i) { return d[i]; }
};

#define RIDGE_MMA(dtype, type, constraint, instruction)                                         \
  template <>                                                                                   \
  struct Mma<dtype> : Parts<type> {                                                             \
    static __device__ void step(type (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { \
      asm volatile(instruction " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"         \
                   : "+" constraint(d[0]), "+" constraint(d[1]), "+" constraint(d[2]),          \
                     "+" constraint(d[3])                                                       \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));         \
    }                                                                                           \
  };

// A stand-in where the architecture lacks the instruction; the host never launches it.
#define RIDGE_NO_MMA(dtype, type)                                                            \
  template <>                                                                                \
  struct Mma<dtype> : Parts<type> {                                                          \
    static __device__ void step(type (&)[4], const uint32_t (&)[4], const uint32_t (&)[2]) { \
      __trap();                                                                              \
    }                                                                                        \
  };

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
RIDGE_MMA(Dtype::kF16, float, "f", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32")
RIDGE_MMA(Dtype::kBf16, float, "f", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")
RIDGE_MMA(Dtype::kTf32, float, "f", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")
RIDGE_MMA(Dtype::kInt8, int, "r", "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32")
#else
RIDGE_NO_MMA(Dtype::kBf16, float)
RIDGE_NO_MMA(Dtype::kTf32, float)

// Turing's instructions are half as deep, and for int8 half as high.
template <>
struct Mma<Dtype::kF16> : Parts<float> {
  static __device__ void step(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#pragma unroll
    for (int k = 0; k < 2; ++k)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
          "{%0,%1,%2,%3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(a[2 * k]), "r"(a[2 * k + 1]), "r"(b[k]));
  }
};
template <>
struct Mma<Dtype::kInt8> : Parts<int> {
  static __device__ void step(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#pragma unroll
    for (int k = 0; k < 2; ++k)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0,%1}, {%2}, {%3}, {%0,%1};"
                     : "+r"(d[2 * half]), "+r"(d[2 * half + 1])
                     : "r"(a[2 * k + half]), "r"(b[k]));
  }
};
#endif

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
RIDGE_MMA(Dtype::kF8E4M3, float, "f", "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32")
#else
RIDGE_NO_MMA(Dtype::kF8E4M3, float)
#endif
#undef RIDGE_MMA
#undef RIDGE_NO_MMA

// f16 with sums in f16: two in a register. After eight steps they are below 8 · 16 in magnitude,
// far inside f16's range, and still hold the product to 2e-3.
struct MmaF16Sums {
  using Sum = float;
  using Part = uint32_t;
  static constexpr int kParts = 2;
  static constexpr int kStepsPerFold = 8;
  static __device__ float value(const uint32_t (&d)[2], int i) {
    return __half2float(__ushort_as_half(static_cast<unsigned short>(d[i / 2] >> (i % 2 * 16))));
  }
  static __device__ void step(uint32_t (&d)[2], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#pragma unroll
    for (int k = 0; k < 2; ++k)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3}, {%4}, {%0,%1};"
          : "+r"(d[0]), "+r"(d[1])
          : "r"(a[2 * k]), "r"(a[2 * k + 1]), "r"(b[k]));
#else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3,%4,%5}, {%6,%7}, "
        "{%0,%1};"
        : "+r"(d[0]), "+r"(d[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
  }
};

template <class I>
__global__ void __launch_bounds__(kMmaThreads)
    mma_units(const void* __restrict__ a, const void* __restrict__ b,
              typename I::Sum* __restrict__ d, int64_t units, int rounds) {
  using Sum = typename I::Sum;
  const int lane = static_cast<int>(threadIdx.x % 32), row = lane / 4, word = lane % 4;
  const int64_t unit = static_cast<int64_t>(blockIdx.x) * (kMmaThreads / 32) + threadIdx.x / 32;
  if (unit >= units) return;
  const auto* words_a = static_cast<const uint32_t*>(a);
  const auto* words_b = static_cast<const uint32_t*>(b);
  constexpr int kRowWords = kRowBytes / 4;
  uint32_t left[4], right[kColumnTiles][2];
#pragma unroll
  for (int r = 0; r < 4; ++r) left[r] = words_a[(row + r % 2 * 8) * kRowWords + word + r / 2 * 4];
#pragma unroll
  for (int t = 0; t < kColumnTiles; ++t)
#pragma unroll
    for (int r = 0; r < 2; ++r) right[t][r] = words_b[(t * 8 + row) * kRowWords + word + r * 4];

  Sum total[kColumnTiles][4] = {};
  for (int fold = 0; fold < rounds * (kStepsPerRound / I::kStepsPerFold); ++fold) {
    typename I::Part sum[kColumnTiles][I::kParts] = {};
#pragma unroll 4
    for (int step = 0; step < I::kStepsPerFold; ++step)
#pragma unroll
      for (int t = 0; t < kColumnTiles; ++t) I::step(sum[t], left, right[t]);
#pragma unroll
    for (int t = 0; t < kColumnTiles; ++t)
#pragma unroll
      for (int i = 0; i < 4; ++i) total[t][i] += I::value(sum[t], i);
  }
  Sum* mine = d + unit * kRows * kColumns;
#pragma unroll
  for (int t = 0; t < kColumnTiles; ++t)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      mine[(row + i / 2 * 8) * kColumns + t * 8 + word * 2 + i % 2] = total[t][i];
}

}  // namespace ridge::fma_peak
