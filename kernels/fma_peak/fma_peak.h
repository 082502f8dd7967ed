#pragma once
#include "kernels/core/call.h"

namespace ridge::fma_peak {

// Probes of arithmetic peaks: loops that keep everything in registers.
//
// fma_peak (vector pipe). Each chain starts at x = 0 and repeats the pair x ← kFirst·x + c,
// x ← kSecond·x + c; a round is kFmasPerRound of these fused multiply-adds, long enough for x to
// reach its fixed point. y[chain] = Σ over rounds of x at the round's end, in f32.
//   A GPU is full with chains = 16384 · multiprocessors, a CPU with 1024 · threads.
//
// mma_peak (matrix pipe). Each unit (a warp on a GPU) holds D[kRows, kColumns] and repeats
// D += A·B^T with A[kRows, K], B[kColumns, K], rows of A and B being kRowBytes long; a round is
// kStepsPerRound of these. D[unit] = rounds · kStepsPerRound · A·B^T, in f32 (int8: int32).
//   A GPU is full with units = 16 · multiprocessors, a CPU with its threads.
constexpr double kFirst = -0.5, kSecond = 0.75;
constexpr int kFmasPerRound = 256;

constexpr int kRows = 16, kColumns = 64, kRowBytes = 32, kStepsPerRound = 64;
// Beyond it int8 sums of ±127 could leave int32.
constexpr int kMaxInt8Rounds = 64;

struct Dims {
  int64_t width;  // chains or units
  int64_t rounds;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::fma_peak
