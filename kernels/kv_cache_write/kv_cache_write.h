#pragma once
#include "kernels/core/call.h"

namespace ridge::kv_cache_write {

// k_cache[slots[row]] = k[row], v_cache[slots[row]] = v[row]: the keys and values of `rows` new
// tokens go to their places in the cache. k, v and both caches are [rows, kv_heads · head_dim];
// slots[rows] is an int32 permutation of 0 … rows − 1, so that every element is written.
struct Dims {
  int64_t rows, kv_heads, head_dim;
  int64_t width() const { return kv_heads * head_dim; }  // elements of a row
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

}  // namespace ridge::kv_cache_write
