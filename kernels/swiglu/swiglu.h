#pragma once
#include <cmath>

#include "kernels/core/call.h"

namespace ridge::swiglu {

// The gated MLP of Llama-like models on x[rows, hidden], row-major throughout:
//   [g u] = x · W_gate_up^T / √hidden      W_gate_up[2·ffn, hidden], gate rows first
//   h     = silu(g) · u                    [rows, ffn]
//   y     = h · W_down^T / √ffn            W_down[hidden, ffn]
// The factors stand for weights of the size that models have: with inputs in [-1, 1) and unscaled
// weights, y would overflow f16. They ride along in the products' scale and cost no time.
// g, u and h are rounded to the dtype between the steps, as models run it.
struct Dims {
  int64_t rows, hidden, ffn;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

inline double gate_up_scale(const Dims& d) { return 1 / std::sqrt(static_cast<double>(d.hidden)); }
inline double down_scale(const Dims& d) { return 1 / std::sqrt(static_cast<double>(d.ffn)); }

}  // namespace ridge::swiglu
