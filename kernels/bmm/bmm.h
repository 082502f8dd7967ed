#pragma once
#include "kernels/core/call.h"

namespace ridge::bmm {

// C[b,m,n] = A[b,m,k] · B[b,k,n] for each of b products, all row-major and contiguous. With
// attention scores, B is K already transposed; b is batch × heads.
struct Dims {
  int64_t b, m, n, k;
};

inline Dims dims(const Call& call) {
  return {call.dims[0], call.dims[1], call.dims[2], call.dims[3]};
}

}  // namespace ridge::bmm
