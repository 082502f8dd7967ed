#pragma once
#include "kernels/core/call.h"

namespace ridge::attention_block {

// The attention half of a transformer layer, without its norm: projections of x to Q, K and V,
// causal grouped-query attention over the sequence itself, and the projection of its output.
//   x, y   [batch, seq, hidden]
//   W_qkv  [(heads + 2 · kv_heads) · head_dim, hidden]
//   W_o    [hidden, heads · head_dim]
struct Dims {
  int64_t batch, seq, heads, kv_heads, head_dim, hidden;
};

inline Dims dims(const Call& c) {
  return {c.dims[0], c.dims[1], c.dims[2], c.dims[3], c.dims[4], c.dims[5]};
}

}  // namespace ridge::attention_block
