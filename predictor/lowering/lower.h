#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/core/call.h"
#include "kernels/core/work.h"
#include "predictor/models/model.h"

namespace ridge {

// How weights are kept. Weight-only formats (int4, int8 and fp8 without quantised activations) have
// one scale of 2 bytes for every `group` of weights and are multiplied in the model's dtype.
enum class WeightFormat { kNative, kFp8, kInt8, kInt4 };

struct Precision {
  Dtype dtype = Dtype::kBf16;  // activations, and weights that are not quantised
  WeightFormat weights = WeightFormat::kNative;
  bool quantised_activations = true;  // fp8 · fp8 and int8 · int8 products; int4 never has them
  Dtype kv_cache = Dtype::kBf16;      // bf16, f16, f8e4m3 or int8
  int64_t group = 128;

  // Embedding, LM head, router and norms stay in `dtype`.
  double bytes_per_weight() const;  // of a quantised product, its scales included
};

// GPUs of one replica: tensor · pipeline. Expert parallelism spreads the experts of a layer over
// `expert` of the tensor · data GPUs instead of sharding each; data = replicas of attention.
struct Parallel {
  int64_t tensor = 1, pipeline = 1, expert = 1, data = 1;
  int64_t gpus_per_node = 8;

  int64_t gpus() const { return tensor * pipeline * data; }
};

// What an engine runs as one kernel. Fields say what is *one* kernel where they are true.
struct Fusion {
  bool qkv = true;            // one product for query, key and value
  bool gate_up = true;        // one product for gate and up
  bool add_norm = true;       // residual addition with the norm behind it
  bool activation = true;     // act(gate) · up; else two kernels
  bool rope_in_attention = false;
  bool kv_write_in_attention = true;
  // int8 · int8 products round their activations and scale their sums; else, and in f32 only, this
  // is quantise_rows ahead of the products of one input, and dequantise behind each product.
  bool quantise_in_product = true;
};

// Sequences of a step that are alike: each runs `tokens` new tokens behind `past` cached ones.
// A decode step is tokens = 1, a prefill past = 0, a chunk or a prefix hit both.
struct Sequences {
  int64_t count = 1, tokens = 1, past = 0;
  bool samples = true;  // a token is sampled after its last one (not so in a chunk but the last)
  bool samples_all = false;  // after each of its new tokens, to verify proposed ones
};
using Step = std::vector<Sequences>;

int64_t new_tokens(const Step& step);

// What a kernel is for, in the order of a forward pass.
enum class Role {
  kEmbedding, kNorm, kQkv, kQkNorm, kRope, kKvWrite, kPrefillAttention, kDecodeAttention, kOutput,
  kGateUp, kActivation, kDown, kRouter, kExperts, kAdd, kAllReduce, kAllGather, kAllToAll, kSend,
  kLmHead, kSampling
};
std::string_view name(Role r);  // "gate_up"

struct Kernel {
  Call call;
  double count = 1;  // executions in the step; a part of one for sequences that share a launch
  Role role = Role::kNorm;
  // What it really does where that is not the call's own work (quantised weights or cache): then
  // its time is the call's, scaled by the ratio of the ideal times.
  std::optional<Work> work;
};

// The kernels that the GPU of each pipeline stage runs for one step: sizes are its shard's. With
// data parallelism the step is that of one replica, and each runs one like it.
// Sequences of several lengths share an attention launch: that of `count` sequences among B counts
// as count / B of a launch of B such sequences. Throws BadInput for a parallelism that does not
// divide the model (heads, ffn, experts, layers), and for a context beyond max_positions.
std::vector<std::vector<Kernel>> lower(const Model& model, const Parallel& parallel,
                                       const Precision& precision, const Fusion& fusion,
                                       const Step& step);

// Bytes of weights on one GPU of the fullest stage, scales included.
double weight_bytes(const Model& model, const Parallel& parallel, const Precision& precision);

// Bytes of cache that a token takes on one GPU of the fullest stage.
double kv_bytes_per_token(const Model& model, const Parallel& parallel, const Precision& precision);

}  // namespace ridge
