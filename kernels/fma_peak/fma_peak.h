#pragma once
#include <string_view>

#include "kernels/core/call.h"

namespace ridge::fma_peak {

// Probes of arithmetic peaks: loops that keep everything in registers.
//
// fma_peak {chains, rounds, ilp} (vector pipe). Each chain starts at x = c and repeats the pair
// x ← m·x + d1, x ← m·x + d2; a round is kFmasPerRound of these multiply-adds, each of which needs
// the one before. After each round d1 and d2 change places. y[chain] = x at the end.
//   reals    m = -1, so a round adds kFmasPerRound/2 · (d2 − d1) = 1, and the next subtracts it:
//            y = c + (rounds mod 2). Take odd rounds, whose result shows that the work was done.
//   int32    modulo 2^32.
//   int8     x ← d + Σ of the four products of x's bytes with m's (dp4a), within int32; c has four
//            bytes a chain. 8 operations a multiply-add, 2 elsewhere.
// A worker (a thread of the CPU or of the GPU) keeps `ilp` vectors in flight, each of
// chains_per_instruction() chains, so workers = ⌈chains / (ilp · chains_per_instruction)⌉:
//   one thread of a CPU   chains_for(implementation, dtype, ilp, 1)
//   a full CPU            chains_for(…, threads), or a multiple; a CPU uses no more threads than
//                         that has workers, and a thread takes several workers one after another
//   one warp a scheduler  chains_for(…, 128 · multiprocessors): a block is one warp for each of the
//                         four schedulers, and the GPU spreads blocks over multiprocessors first
//   a full GPU            chains_for(…, kFullGpuThreads · multiprocessors)
// A launch costs microseconds: take rounds so that ilp · rounds · 256 · workers a thread lasts 100
// times as long (CPU: 513, GPU: 65).
// Two pipes of latency 4 need 8 vectors, and reach their peak with 12, because the scheduler is not
// perfect. SSE2 multiplies, then adds: six cycles, for which its 16 registers hold too few vectors
// (87 % of four operations a cycle on Zen 5).
constexpr int kFmasPerRound = 256;
constexpr int kIlps[] = {1, 2, 4, 8, 12, 16};

// d2 − d1 = 2^-7 is one unit in the last place of bf16 below 2, so no format loses it.
constexpr double kMultiplier = -1, kFirst = 1, kSecond = 1 + 1.0 / 128;
// Odd, so that no bit of x is lost.
constexpr int32_t kIntMultiplier = 1664525, kIntFirst = 1013904223, kIntSecond = 12345;
// Its bytes are 37, -91, 113, -59, lowest first.
constexpr int32_t kByteMultiplier = static_cast<int32_t>(0xC571A525u);

// Four warps for each scheduler: with ilp 4 they cover the latency of any pipe twice and more, and
// their registers fit.
constexpr int64_t kFullGpuThreads = 512;

// Chains that one instruction advances: the lanes of "avx512", "avx2", "sse2"; 2 for "ridge", the
// GPU's, in f16 and bf16.
int64_t chains_per_instruction(std::string_view implementation, Dtype dtype);
int64_t chains_for(std::string_view implementation, Dtype dtype, int64_t ilp, int64_t workers);

struct ChainDims {
  int64_t chains, rounds, ilp;
};
inline ChainDims chain_dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

// mma_peak {units, rounds} (matrix pipe). Each unit holds D[kRows, kColumns] and repeats
// D += A·B^T with A[kRows, K], B[kColumns, K], rows of A and B being kRowBytes long; a round is
// kStepsPerRound of these. D[unit] = rounds · kStepsPerRound · A·B^T, in f32 (f64: f64, int8:
// int32).
//   A unit is a warp of a GPU with "mma_sync" and "mma_f16_accumulate"; a sixteenth of a warpgroup
// with "wgmma", of which always whole ones run; a turn of a thread on a CPU.
//   one thread of a CPU   1; a full one: its threads, or a multiple
//   one warp a scheduler  4 · multiprocessors ("wgmma": 16 · multiprocessors)
//   a full GPU            kFullGpuUnits · multiprocessors: eight warps a scheduler, not all at
//                         once, or two warpgroups
constexpr int kRows = 16, kColumns = 64, kRowBytes = 32, kStepsPerRound = 64;
constexpr int64_t kFullGpuUnits = 32;
// Beyond it int8 sums of ±127 could leave int32.
constexpr int kMaxInt8Rounds = 64;

// Accumulates in f16 and so is of use for half-precision GEMMs that do so, too: twice as fast as
// f32 on GeForce. Its tolerance is wider.
constexpr std::string_view kF16Accumulate = "mma_f16_accumulate";

struct UnitDims {
  int64_t units, rounds;
};
inline UnitDims unit_dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::fma_peak
