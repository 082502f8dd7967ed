#pragma once
#include "kernels/core/call.h"

namespace ridge::attention_prefill {

// O = softmax(Q · K^T / √head_dim, causal) · V, grouped-query: query head h reads key head
// h / (heads / kv_heads).
//   Q, O  [batch, seq, heads, head_dim]        as the projections write them
//   K, V  [batch, kv_heads, kv_len, head_dim]  the cache; kv_len ≥ seq counts the new tokens too
// With Arguments::cache_rows the K (V) of each head has room for so many rows, of which kv_len
// count. The mask is aligned to the last key: query i sees keys 0 … kv_len − seq + i.
struct Dims {
  int64_t batch, seq, kv_len, heads, kv_heads, head_dim;
};

inline Dims dims(const Call& c) {
  return {c.dims[0], c.dims[1], c.dims[2], c.dims[3], c.dims[4], c.dims[5]};
}

inline int64_t visible_keys(const Dims& d, int64_t query) { return d.kv_len - d.seq + query + 1; }

}  // namespace ridge::attention_prefill
