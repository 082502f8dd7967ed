#include <algorithm>

#include "predictor/lowering/lower.h"
#include "predictor/lowering/shard.h"

namespace ridge {
namespace {

double real(int64_t n) { return static_cast<double>(n); }

// Weights of a layer on one GPU: those of quantised products, and the rest.
struct Counts {
  double quantised = 0, native = 0;
};

Counts attention_weights(const Model& m, const Shard& s) {
  const double q = real(s.heads * m.head_dim), kv = real(s.kv_heads * m.head_dim);
  const double norm = real(m.hidden) * (m.norm_bias ? 2 : 1);
  return {.quantised = real(m.hidden) * (2 * q + 2 * kv),
          .native = real(m.norms_per_layer) * norm + (m.qk_norm ? 2 * real(m.head_dim) : 0) +
                    (m.qkv_bias ? q + 2 * kv : 0) + (m.output_bias ? real(m.hidden) : 0)};
}

Counts dense_weights(const Model& m, const Shard& s) {
  const double inner = m.gated ? 2 : 1;
  return {.quantised = (inner + 1) * real(m.hidden) * real(s.ffn),
          .native = m.mlp_bias ? inner * real(s.ffn) + real(m.hidden) : 0};
}

Counts expert_weights(const Model& m, const Shard& s) {
  const Experts& e = *m.experts;
  const double inner = real(e.count / s.expert_ep) * real(e.ffn / s.expert_tp);
  return {.quantised = 3 * real(m.hidden) * (inner + real(s.shared_ffn)),
          .native = real(m.hidden) * (real(e.count) + (e.shared_gate ? 1 : 0))};
}

}  // namespace

double weight_bytes(const Model& model, const Parallel& parallel, const Precision& precision) {
  check_precision(model, precision);
  const Shard s = shard_of(model, parallel);
  const auto size = static_cast<double>(bytes_per_element(precision.dtype));
  const auto bytes = [&](const Counts& c) {
    return c.quantised * precision.bytes_per_weight() + c.native * size;
  };
  const double table = real(model.hidden) * real(s.vocab) * size;
  double largest = 0;
  for (const Stage& stage : stages_of(model, parallel)) {
    double sum = real(stage.layers) * bytes(attention_weights(model, s));
    if (stage.dense() > 0) sum += real(stage.dense()) * bytes(dense_weights(model, s));
    if (stage.experts > 0) sum += real(stage.experts) * bytes(expert_weights(model, s));
    if (stage.first) sum += table;
    if (stage.last && !(stage.first && model.tied_embeddings)) sum += table;
    if (stage.last) sum += real(model.hidden) * (model.norm_bias ? 2 : 1) * size;
    largest = std::max(largest, sum);
  }
  return largest;
}

double kv_bytes_per_token(const Model& model, const Parallel& parallel,
                          const Precision& precision) {
  check_precision(model, precision);
  const Shard s = shard_of(model, parallel);
  int64_t layers = 0;
  for (const Stage& stage : stages_of(model, parallel)) layers = std::max(layers, stage.layers);
  return 2 * real(layers) * real(s.kv_heads) * real(model.head_dim) *
         static_cast<double>(bytes_per_element(precision.kv_cache));
}

}  // namespace ridge
