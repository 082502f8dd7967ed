#pragma once
#include "kernels/core/call.h"

namespace ridge::conv2d {

// y[n,p,q,k] = Σ over r, s and the input channels of k's group of
//   x[n, p·stride − pad + r, q·stride − pad + s, c] · weights[k, r, s, c within the group],
// what lies outside of x being 0: cross-correlation without bias, as deep learning has it.
// Tensors are NHWC: x[n, h, w, c], weights[k, r, s, c/groups], y[n, p, q, k].
struct Dims {
  int64_t n, c, h, w, k, r, s, stride, pad, groups;

  int64_t p() const { return (h + 2 * pad - r) / stride + 1; }  // rows of y
  int64_t q() const { return (w + 2 * pad - s) / stride + 1; }  // columns of y
  int64_t group_c() const { return c / groups; }
  int64_t group_k() const { return k / groups; }
};

inline Dims dims(const Call& call) {
  const auto& d = call.dims;
  return {.n = d[0],
          .c = d[1],
          .h = d[2],
          .w = d[3],
          .k = d[4],
          .r = d[5],
          .s = d[6],
          .stride = d[7],
          .pad = d[8],
          .groups = d[9]};
}

}  // namespace ridge::conv2d
