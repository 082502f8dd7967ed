#pragma once
#include "kernels/core/call.h"

namespace ridge::moe {

// A layer of experts, each a SwiGLU MLP of width `inter`, on one of tp · ep devices: a token goes
// to `topk` different ones of `experts`, and its results are added, weighted. A device holds
// experts / ep of them and inter / tp of the width of each. The router, and the communication
// between devices, are not in it.
//   x, y       [tokens, hidden]                         of the whole group, before routing
//   ids        [tokens, topk] int32, and as many f32 weights
//   W_gate_up  [experts / ep, 2 · inter / tp, hidden]
//   W_down     [experts / ep, hidden, inter / tp]
struct Dims {
  int64_t tokens, hidden, inter, topk, experts, tp, ep;
  int64_t local_experts() const { return (experts + ep - 1) / ep; }
  int64_t local_inter() const { return (inter + tp - 1) / tp; }
};

inline Dims dims(const Call& c) {
  return {c.dims[0], c.dims[1], c.dims[2], c.dims[3], c.dims[4], c.dims[5], c.dims[6]};
}

// Activations beside f8e4m3 weights are bf16.
inline Dtype activation_dtype(Dtype t) { return t == Dtype::kF8E4M3 ? Dtype::kBf16 : t; }

// Of the experts of one device, how many at least one token is expected to go to when every token
// chooses uniformly: local · (1 − (1 − topk / experts)^tokens).
double expected_experts(const Dims& d);

// How many of the tokens are expected to choose at least one of the device's experts: 1 − C(others,
// topk) / C(experts, topk) of them.
double expected_tokens(const Dims& d);

}  // namespace ridge::moe
