#pragma once
#include "kernels/core/call.h"

namespace ridge::attention_decode {

// One new token per sequence reads its whole cache: O = softmax(Q · K^T / √head_dim) · V,
// grouped-query: query head h reads key head h / (heads / kv_heads).
//   Q, O  [batch, 1, heads, head_dim]
//   K, V  [batch, kv_heads, context, head_dim]  the cache; context counts the new token too
// With Arguments::lengths a sequence attends to so many keys of its own instead, at least 1 and at
// most context; with Arguments::cache_rows the K (V) of each head has room for so many rows.
struct Dims {
  int64_t batch, context, heads, kv_heads, head_dim;
};

inline Dims dims(const Call& c) { return {c.dims[0], c.dims[1], c.dims[2], c.dims[3], c.dims[4]}; }

}  // namespace ridge::attention_decode
