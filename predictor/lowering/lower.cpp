#include "predictor/lowering/lower.h"

#include <fmt/format.h>

#include "kernels/core/error.h"
#include "predictor/lowering/pass.h"

namespace ridge {
namespace {

// That meet at one group of experts: what the operator takes, and one all-to-all.
constexpr int64_t kMostExpertTokens = 1 << 22;

}  // namespace

std::string_view name(Role r) {
  switch (r) {
    case Role::kEmbedding:
      return "embedding";
    case Role::kNorm:
      return "norm";
    case Role::kQkv:
      return "qkv";
    case Role::kQkNorm:
      return "qk_norm";
    case Role::kRope:
      return "rope";
    case Role::kKvWrite:
      return "kv_write";
    case Role::kPrefillAttention:
      return "prefill_attention";
    case Role::kDecodeAttention:
      return "decode_attention";
    case Role::kOutput:
      return "output";
    case Role::kGateUp:
      return "gate_up";
    case Role::kActivation:
      return "activation";
    case Role::kDown:
      return "down";
    case Role::kRouter:
      return "router";
    case Role::kExperts:
      return "experts";
    case Role::kAdd:
      return "add";
    case Role::kAllReduce:
      return "all_reduce";
    case Role::kAllGather:
      return "all_gather";
    case Role::kAllToAll:
      return "all_to_all";
    case Role::kSend:
      return "send";
    case Role::kLmHead:
      return "lm_head";
    case Role::kSampling:
      break;
  }
  return "sampling";
}

int64_t new_tokens(const Step& step) {
  int64_t tokens = 0;
  for (const Sequences& s : step) tokens += s.count * s.tokens;
  return tokens;
}

std::vector<std::vector<Kernel>> lower(const Model& model, const Parallel& parallel,
                                       const Precision& precision, const Fusion& fusion,
                                       const Step& step) {
  check_precision(model, precision);
  if (precision.weights == WeightFormat::kInt8 && precision.quantised_activations &&
      !fusion.quantise_in_product && precision.dtype != Dtype::kF32)
    throw BadInput(
        fmt::format("kernels of their own that round activations to int8 come in f32, not in {}; "
                    "ask for f32, or for an engine whose products do it",
                    name(precision.dtype)));
  const Pass::Inputs in{.model = model,
                        .parallel = parallel,
                        .precision = precision,
                        .fusion = fusion,
                        .step = step,
                        .shard = shard_of(model, parallel),
                        .shape = shape_of(model, step)};
  if (in.shape.tokens * in.shard.replicas > kMostExpertTokens)
    throw BadInput(
        fmt::format("experts get {} tokens of {} replicas in one step, at most {}: split "
                    "it",
                    in.shape.tokens * in.shard.replicas, in.shard.replicas, kMostExpertTokens));
  std::vector<std::vector<Kernel>> stages;
  for (const Stage& stage : stages_of(model, parallel))
    stages.push_back(Pass(in, stage, stages.size()).run());
  return stages;
}

}  // namespace ridge
