#pragma once
#include "kernels/core/call.h"

namespace ridge::rope {

// Rotary position embedding, half-split pairing (GPT-NeoX, Llama): element j of a head turns
// together with element j + head_dim/2, by the angle of its position and frequency,
//   y[j]            = x[j] · cos[j] − x[j + head_dim/2] · sin[j]
//   y[j+head_dim/2] = x[j + head_dim/2] · cos[j] + x[j] · sin[j]      for 0 ≤ j < head_dim/2.
// x and y are [rows, heads, head_dim], heads being those of queries and keys together. cos and sin
// come from row positions[row] (int32) of a precomputed f32 cache [kMaxPositions, head_dim], whose
// first half is cos and second half sin, as inference engines keep it. Here the cache holds any
// numbers: what is computed and its cost do not depend on their being angles.
struct Dims {
  int64_t rows, heads, head_dim;
};

constexpr int64_t kMaxPositions = 8192;

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

}  // namespace ridge::rope
