#pragma once
#include "kernels/core/call.h"

namespace ridge::gemm {

// C[m,n] = A[m,k] · W[n,k]^T: a linear layer of m tokens, row-major, no bias.
// int8: C is int32. f8e4m3: C is bf16. Other dtypes: C has the dtype of A and W.
struct Dims {
  int64_t m, n, k;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

inline Dtype output_dtype(Dtype t) {
  if (t == Dtype::kInt8) return Dtype::kInt32;
  return t == Dtype::kF8E4M3 ? Dtype::kBf16 : t;
}

}  // namespace ridge::gemm
