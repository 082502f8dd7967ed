#pragma once
#include <memory>
#include <string>

#include "kernels/cuda/context.h"

namespace ridge::cuda {

// How the right operand of a product lies in memory, row-major.
enum class Right {
  kNK,  // W[n,k], a linear layer's weight: D = A · W^T
  kKN,  // B[k,n]: D = A · B
};

// D[b,m,n] = scale · A[b,m,k] · B[b] for every b, all row-major and contiguous, on cuBLASLt.
// Accumulates in f32 (int8: in int32, with scale 1 only; f64: in f64). tf32 rounds f32 inputs to a
// 10-bit mantissa, f32 does not. f8e4m3 is without fast accumulation, its per-tensor scales
// are 1.0.
struct LtMatmul {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  Dtype dtype = Dtype::kF32;
  Dtype output = Dtype::kF32;
  Right right = Right::kNK;
  float scale = 1;
};

struct LtOperands {
  const void* a = nullptr;  // 256-byte aligned, as all three: the choice of algorithm relies on it
  const void* b = nullptr;
  void* d = nullptr;
  const void* bias = nullptr;  // [n] in D's dtype, added to each row; not with fp8 or int8
};

// Why this device or cuBLASLt cannot do it, with what to change, or "". The limits are those of
// cuBLAS's documentation of cublasLtMatmul ("to use FP8 / IMMA kernels, …").
std::string lt_unsupported(const CudaContext& context, const LtMatmul& problem);

// Chooses the algorithm for the problem the first time that it is seen: times what cuBLASLt's
// heuristic proposes on these operands, each launch after an L2 flush, and keeps the fastest;
// detail() tells which and by how much. Writes D. Throws BadInput where cuBLASLt has no algorithm.
std::unique_ptr<Launch> bind_lt_matmul(CudaContext& context, const LtMatmul& problem,
                                       const LtOperands& operands);

}  // namespace ridge::cuda
