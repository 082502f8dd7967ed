#pragma once
#include "kernels/core/call.h"

namespace ridge::norm {

// Normalisation over the last axis of x[rows, cols], with ε = 1e-5:
//   rmsnorm      y = x / sqrt(mean(x²) + ε) · w
struct Dims {
  int64_t rows, cols;
};

constexpr double kEpsilon = 1e-5;

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::norm
