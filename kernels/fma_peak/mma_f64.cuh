#pragma once
#include <cstdint>

#include "kernels/fma_peak/fma_peak.h"

// The f64 tensor cores of sm_80 and sm_90. K is 4, what the smallest instruction takes.
namespace ridge::fma_peak {

constexpr int kF64Threads = 128;  // four warps, one unit and one scheduler each
constexpr int kF64Tiles = kColumns / 8;
// Hopper's largest instruction has a K of 16, and so does four steps at once.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
constexpr int kF64StepsPerMma = 4;
#else
constexpr int kF64StepsPerMma = 1;
#endif

// d[16, 8] += a[16, 4] · b[8, 4]^T, kF64StepsPerMma times. A lane holds a[lane/4 + 8·i, lane mod
// 4], b[lane/4, lane mod 4], and of d, row lane/4 + 8·(i/2), column 2·(lane mod 4) + i mod 2 (PTX
// ISA, "Matrix fragments for mma.m8n8k4 with .f64" and "… m16n8k16 with floating point type": there
// registers 2·j + i of `a` and j of `b` belong to columns 4·j + lane mod 4, so repeating registers
// repeats a and b along K).
inline __device__ void mma_f64(double (&d)[4], const double (&a)[2], double b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64 {%0,%1,%2,%3}, "
      "{%4,%5,%4,%5,%4,%5,%4,%5}, {%6,%6,%6,%6}, {%0,%1,%2,%3};"
      : "+d"(d[0]), "+d"(d[1]), "+d"(d[2]), "+d"(d[3])
      : "d"(a[0]), "d"(a[1]), "d"(b));
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#pragma unroll
  for (int half = 0; half < 2; ++half)
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+d"(d[2 * half]), "+d"(d[2 * half + 1])
                 : "d"(a[half]), "d"(b));
#elif defined(__CUDA_ARCH__)
  __trap();  // the host never launches it
#endif
}

// Sums of a round are folded into `total` apart: so fewer equal terms are added to one sum, whose
// rounding errors would not cancel.
__global__ void __launch_bounds__(kF64Threads)
    mma_units_f64(const double* __restrict__ a, const double* __restrict__ b,
                  double* __restrict__ d, int64_t units, int rounds) {
  const int lane = static_cast<int>(threadIdx.x % 32), row = lane / 4, word = lane % 4;
  const int64_t unit = static_cast<int64_t>(blockIdx.x) * (kF64Threads / 32) + threadIdx.x / 32;
  if (unit >= units) return;
  constexpr int kInner = kRowBytes / 8;
  const double left[2] = {a[row * kInner + word], a[(row + 8) * kInner + word]};
  double right[kF64Tiles], total[kF64Tiles][4] = {};
#pragma unroll
  for (int t = 0; t < kF64Tiles; ++t) right[t] = b[(t * 8 + row) * kInner + word];
  for (int r = 0; r < rounds; ++r) {
    double sum[kF64Tiles][4] = {};
#pragma unroll 4
    for (int step = 0; step < kStepsPerRound / kF64StepsPerMma; ++step)
#pragma unroll
      for (int t = 0; t < kF64Tiles; ++t) mma_f64(sum[t], left, right[t]);
#pragma unroll
    for (int t = 0; t < kF64Tiles; ++t)
#pragma unroll
      for (int i = 0; i < 4; ++i) total[t][i] += sum[t][i];
  }
  double* mine = d + unit * kRows * kColumns;
#pragma unroll
  for (int t = 0; t < kF64Tiles; ++t)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      mine[(row + i / 2 * 8) * kColumns + t * 8 + word * 2 + i % 2] = total[t][i];
}

}  // namespace ridge::fma_peak
