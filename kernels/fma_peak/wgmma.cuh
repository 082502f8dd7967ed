#pragma once
#include <cstdint>

#include "kernels/cuda/vector.cuh"
#include "kernels/fma_peak/fma_peak.h"

// Hopper's tensor-core loop: wgmma, with both operands in shared memory. This header has all that
// is ordinary code, for a Machine that has the instructions: the GPU's is in cuda_sm90a.cu, and a
// test has one that does on the CPU what the PTX ISA says.
namespace ridge::fma_peak {

constexpr int kGroupThreads = 128;  // a warpgroup, which is a block here
// D[64, 256] of a warpgroup is 4 · 4 units: A repeated four times downwards, B four times.
constexpr int kWgmmaRows = 64, kWgmmaColumns = 256;
constexpr int kDown = kWgmmaRows / kRows, kAcross = kWgmmaColumns / kColumns;
constexpr int kUnitsPerGroup = kDown * kAcross;
constexpr int kWgmmaSums = kWgmmaRows * kWgmmaColumns / kGroupThreads;

// Operands without swizzling, K-major (PTX ISA, "Asynchronous warpgroup level matrix shared memory
// layout"): core matrices of 8 rows of 16 bytes, each 128 bytes in one piece. K is 32 bytes, so two
// core matrices lie side by side: the leading dimension byte offset is from the first to the
// second, the stride byte offset from 8 rows to the next 8. In CuTe's terms
// ((8,m),(T,2)):((1T,SBO),(1,LBO)).
constexpr int kLeadingBytes = 128, kStrideBytes = 256;
constexpr int operand_offset(int row, int byte) {
  return row / 8 * kStrideBytes + byte / 16 * kLeadingBytes + row % 8 * 16 + byte % 16;
}

// Bits 0–13 the address, 16–29 the leading offset, 32–45 the stride offset, each in 16 bytes; bits
// 62–63, the swizzling, are 0 for none ("Matrix descriptor format").
constexpr uint64_t descriptor(uint32_t shared_address) {
  return static_cast<uint64_t>((shared_address & 0x3FFFF) >> 4) |
         static_cast<uint64_t>(kLeadingBytes >> 4) << 16 |
         static_cast<uint64_t>(kStrideBytes >> 4) << 32;
}

// Where sum i of a thread belongs in D[64, 256] ("Register fragments", accumulator D).
constexpr int sum_row(int thread, int i) {
  return thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8;
}
constexpr int sum_column(int thread, int i) { return i / 4 * 8 + thread % 4 * 2 + i % 2; }

constexpr int kStepsUnrolled = 8;  // divides a round
static_assert(kStepsPerRound % kStepsUnrolled == 0);
constexpr int kBytesA = kWgmmaRows * kRowBytes, kBytesB = kWgmmaColumns * kRowBytes;
constexpr int kWgmmaSharedBytes = kBytesA + kBytesB + kWgmmaSums * kGroupThreads * 4;

// Each word of `to` from the row of `from` that it repeats.
__device__ inline void fill_operand(char* to, const void* from, int rows, int source_rows) {
  const auto* words = static_cast<const uint32_t*>(from);
  constexpr int kWords = kRowBytes / 4;
  for (int i = static_cast<int>(threadIdx.x); i < rows * kWords; i += kGroupThreads)
    *reinterpret_cast<uint32_t*>(to + operand_offset(i / kWords, i % kWords * 4)) =
        words[i / kWords % source_rows * kWords + i % kWords];
}

// Sums of M::kRoundsPerFold rounds are folded into totals in shared memory, because accumulators
// keep few digits (of fp8) and there are no registers for both. While one warpgroup folds, another
// on the multiprocessor keeps the tensor cores busy.
template <class M>
__global__ void __launch_bounds__(kGroupThreads)
    wgmma_units(const void* __restrict__ a, const void* __restrict__ b,
                typename M::Sum* __restrict__ d, int64_t units, int rounds) {
  using Sum = typename M::Sum;
  char* shared = cuda::dynamic_shared<char>();
  fill_operand(shared, a, kWgmmaRows, kRows);
  fill_operand(shared + kBytesA, b, kWgmmaColumns, kColumns);
  M::publish();
  __syncthreads();
  const uint64_t left = descriptor(M::address(shared));
  const uint64_t right = descriptor(M::address(shared + kBytesA));
  const int thread = static_cast<int>(threadIdx.x);
  Sum* total = reinterpret_cast<Sum*>(shared + kBytesA + kBytesB) + thread;

  for (int from = 0; from < rounds; from += M::kRoundsPerFold) {
    const int steps = kStepsPerRound * min(rounds - from, M::kRoundsPerFold);
    Sum sum[kWgmmaSums] = {};
    M::begin(sum);
#pragma unroll 1
    for (int step = 0; step < steps; step += kStepsUnrolled) {
#pragma unroll
      for (int i = 0; i < kStepsUnrolled; ++i) M::step(sum, left, right);
    }
    M::finish(sum);
#pragma unroll
    for (int i = 0; i < kWgmmaSums; ++i) {
      Sum& t = total[i * kGroupThreads];
      t = from == 0 ? sum[i] : t + sum[i];
    }
  }
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kUnitsPerGroup;
  for (int i = 0; i < kWgmmaSums; ++i) {
    const int row = sum_row(thread, i), column = sum_column(thread, i);
    const int64_t unit = first + row / kRows * kAcross + column / kColumns;
    if (unit < units)
      d[(unit * kRows + row % kRows) * kColumns + column % kColumns] = total[i * kGroupThreads];
  }
}

}  // namespace ridge::fma_peak
