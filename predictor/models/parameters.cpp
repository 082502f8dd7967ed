#include "predictor/models/model.h"

namespace ridge {
namespace {

double count(int64_t n) { return static_cast<double>(n); }

double attention(const Model& m) {
  const double hidden = count(m.hidden), q = count(m.q_width()), kv = count(m.kv_width());
  return hidden * (q + 2 * kv) + (m.qkv_bias ? q + 2 * kv : 0) +  // query, key, value
         q * hidden + (m.output_bias ? hidden : 0) +              // output
         (m.qk_norm ? 2 * count(m.head_dim) : 0);
}

double dense_mlp(const Model& m) {
  const double hidden = count(m.hidden), ffn = count(m.ffn), inner = m.gated ? 2 : 1;
  return (inner + 1) * hidden * ffn + (m.mlp_bias ? inner * ffn + hidden : 0);
}

// With `used` of the experts.
double expert_mlp(const Model& m, const Experts& e, int64_t used) {
  const double hidden = count(m.hidden);
  return hidden * count(e.count) +  // router
         3 * hidden * (count(used) * count(e.ffn) + count(e.shared_ffn)) +
         (e.shared_gate ? hidden : 0);
}

double all_parameters(const Model& m, int64_t used_experts) {
  const double table = count(m.vocab) * count(m.hidden);
  const double norm = count(m.hidden) * (m.norm_bias ? 2 : 1);
  return table * (m.tied_embeddings ? 1 : 2) + norm +
         count(m.layers) * (attention(m) + count(m.norms_per_layer) * norm) +
         count(m.dense_layers()) * dense_mlp(m) +
         (m.experts ? count(m.expert_layers()) * expert_mlp(m, *m.experts, used_experts) : 0);
}

}  // namespace

double parameters(const Model& m) { return all_parameters(m, m.experts ? m.experts->count : 0); }

double active_parameters(const Model& m) {
  return all_parameters(m, m.experts ? m.experts->per_token : 0);
}

}  // namespace ridge
