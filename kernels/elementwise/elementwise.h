#pragma once
#include "kernels/core/call.h"

namespace ridge::elementwise {

// Element by element over y[rows, cols], arithmetic in f32 whatever the storage:
//   add, mul   y = a + b, y = a · b
//   silu       y = x / (1 + e⁻ˣ)
//   gelu       y = x/2 · (1 + erf(x / √2)), the exact form, which is PyTorch's default
//   copy       y = x
//   silu_mul   y = silu(gate) · up, with x[rows, 2·cols] = [gate | up]: what a SwiGLU MLP does to
//              the result of its merged gate and up projections
struct Dims {
  int64_t rows, cols;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::elementwise
