#include <algorithm>

#include "kernels/core/operators.h"
#include "kernels/moe/moe.h"
#include "predictor/lowering/pass.h"

namespace ridge {
namespace {

double real(int64_t n) { return static_cast<double>(n); }

}  // namespace

void Pass::experts() {
  const Experts& e = *m_.experts;
  const Shard& s = in_.shard;
  const double layers = real(stage_.experts);
  product(
      Role::kRouter,
      {.m = tokens_, .n = e.count, .k = m_.hidden, .count = layers, .weights = Weights::kNative});
  add(Role::kRouter, "softmax", {tokens_, e.count}, layers);
  Kernel& k =
      add(Role::kExperts, "moe",
          {tokens_ * s.replicas, m_.hidden, e.ffn, e.per_token, e.count, s.expert_tp, s.expert_ep},
          layers);
  const Precision& p = in_.precision;
  if (p.weights == WeightFormat::kFp8 && p.quantised_activations) {
    k.call.dtype = Dtype::kF8E4M3;
  } else if (p.weights != WeightFormat::kNative) {
    // There are no experts in int8 or int4: the native ones, of fewer bytes.
    static const OpSpec& spec = find_operator("moe");
    const moe::Dims d = moe::dims(k.call);
    k.work = spec.work(k.call);
    k.work->bytes_read += moe::expected_experts(d) * 3 * real(d.hidden) * real(d.local_inter()) *
                          (p.bytes_per_weight() - static_cast<double>(bytes_per_element(p.dtype)));
  }
  if (e.shared_ffn > 0) shared_expert(layers);
  combine_experts(layers);
}

// An MLP that every token takes, beside the chosen ones, weighed by the sigmoid of a product.
void Pass::shared_expert(double layers) {
  mlp(in_.shard.shared_ffn, layers);
  if (m_.experts->shared_gate) {
    product(Role::kRouter,
            {.m = tokens_, .n = 1, .k = m_.hidden, .count = layers, .weights = Weights::kNative});
    Kernel& k = add(Role::kActivation, "mul", {tokens_, m_.hidden}, layers);
    // One weight for each token, not for each feature.
    static const OpSpec& spec = find_operator("mul");
    k.work = spec.work(k.call);
    const auto size = static_cast<double>(bytes_per_element(in_.precision.dtype));
    k.work->bytes_read = size * real(tokens_) * (real(m_.hidden) + 1);
  }
  add(Role::kAdd, "add", {tokens_, m_.hidden}, layers);
}

void Pass::combine_experts(double layers) {
  const Shard& s = in_.shard;
  if (s.replicas == 1) {
    collective(Role::kAllReduce, "all_reduce", hidden_bytes(), layers);
    return;
  }
  // Each GPU sends its share of the replica's tokens, one copy to each GPU that has an expert of
  // theirs, and gets as many results back.
  const Experts& e = *m_.experts;
  const moe::Dims d{.tokens = ceil_div(tokens_, in_.parallel.tensor),
                    .hidden = m_.hidden,
                    .inter = e.ffn,
                    .topk = e.per_token,
                    .experts = e.count,
                    .tp = s.expert_tp,
                    .ep = s.expert_ep};
  const double copies = moe::expected_tokens(d) * real(s.expert_ep);
  const double bytes =
      copies * real(m_.hidden) * static_cast<double>(bytes_per_element(in_.precision.dtype));
  const int64_t tensor = in_.parallel.tensor, node = in_.parallel.gpus_per_node;
  const int64_t replicas_a_node = std::max<int64_t>(1, node / (tensor * in_.parallel.pipeline));
  const int64_t inside = std::min(s.expert_ep, replicas_a_node * std::min(tensor, node));
  add(Role::kAllToAll, "alltoall", {s.expert_ep, static_cast<int64_t>(bytes), inside}, 2 * layers);
  collective(Role::kAllGather, "all_gather", hidden_bytes(), layers);
  if (e.shared_ffn > 0) collective(Role::kAllReduce, "all_reduce", hidden_bytes(), layers);
}

}  // namespace ridge
