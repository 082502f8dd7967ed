#pragma once
#include "kernels/core/call.h"

namespace ridge::norm {

// Normalisation over the last axis of x[rows, cols], with ε = 1e-5 or Arguments::epsilon:
//   rmsnorm      y = x / sqrt(mean(x²) + ε) · w
//   add_rmsnorm  sum = x + residual; y = rmsnorm(sum) · w. Outputs y and sum, the next residual.
//   layernorm    y = (x − mean(x)) / sqrt(mean((x − mean(x))²) + ε) · w + bias
struct Dims {
  int64_t rows, cols;
};

constexpr double kEpsilon = 1e-5;

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::norm
