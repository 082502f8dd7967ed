#pragma once
#include "kernels/core/call.h"

namespace ridge::softmax {

// y[r, c] = e^(x[r, c] − max(x[r])) / Σ_j e^(x[r, j] − max(x[r])) over x[rows, cols].
struct Dims {
  int64_t rows, cols;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::softmax
