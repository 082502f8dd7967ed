#include "predictor/lowering/pass.h"

#include <algorithm>
#include <utility>

#include "kernels/core/operators.h"

namespace ridge {
namespace {

double real(int64_t n) { return static_cast<double>(n); }

double size_of(Dtype t) { return static_cast<double>(bytes_per_element(t)); }

// The dtype that a product of quantised weights runs in.
Dtype product_dtype(const Precision& p) {
  if (p.quantised_activations && p.weights == WeightFormat::kFp8) return Dtype::kF8E4M3;
  if (p.quantised_activations && p.weights == WeightFormat::kInt8) return Dtype::kInt8;
  return p.dtype;
}

}  // namespace

Pass::Pass(const Inputs& in, const Stage& stage, std::size_t index)
    : in_(in),
      m_(in.model),
      stage_(stage),
      index_(index),
      tokens_(in.shape.tokens),
      layers_(real(stage.layers)) {}

std::vector<Kernel> Pass::run() {
  out_.reserve(24 + 2 * in_.step.size());
  if (stage_.first) embed();
  norms_and_adds();
  attend();
  if (stage_.dense() > 0) dense_mlp();
  if (stage_.experts > 0) experts();
  if (stage_.last)
    finish();
  else
    send();
  return std::move(out_);
}

Kernel& Pass::add(Role role, const char* op, std::vector<int64_t> dims, double count) {
  out_.push_back({.call = {.op = op, .dims = std::move(dims), .dtype = in_.precision.dtype},
                  .count = count,
                  .role = role});
  return out_.back();
}

void Pass::product(Role role, const Product& p) {
  Kernel& k = add(role, "gemm", {p.m, p.n, p.k}, p.count);
  if (p.weights == Weights::kNative || in_.precision.weights == WeightFormat::kNative) return;
  k.call.dtype = product_dtype(in_.precision);
  if (k.call.dtype != in_.precision.dtype) {
    if (quantises_apart()) add(role, "dequantise", {p.m, p.n}, p.count);
    return;
  }
  // Weight-only: the product is the native one, of fewer bytes.
  static const OpSpec& spec = find_operator("gemm");
  Work work = spec.work(k.call);
  work.bytes_read +=
      real(p.n) * real(p.k) * (in_.precision.bytes_per_weight() - size_of(k.call.dtype));
  k.work = work;
}

bool Pass::quantises_apart() const {
  return product_dtype(in_.precision) == Dtype::kInt8 && !in_.fusion.quantise_in_product;
}

void Pass::quantise(Role role, int64_t features, double count) {
  if (quantises_apart()) add(role, "quantise_rows", {tokens_, features}, count);
}

double Pass::hidden_bytes() const {
  return real(tokens_) * real(m_.hidden) * size_of(in_.precision.dtype);
}

void Pass::collective(Role role, const char* op, double bytes, double count) {
  const int64_t gpus = in_.parallel.tensor;
  if (gpus == 1) return;
  add(role, op, {gpus, static_cast<int64_t>(bytes), std::min(gpus, in_.parallel.gpus_per_node)},
      count);
}

void Pass::embed() {
  add(Role::kEmbedding, "embedding", {tokens_, m_.hidden, in_.shard.vocab}, 1);
  collective(Role::kAllReduce, "all_reduce", hidden_bytes(), 1);
}

// A norm stands before attention, before the MLP and before the LM head, and each adds what came
// before to the residual, but for the model's first. Others of a layer (Gemma) follow attention and
// the MLP and add nothing.
void Pass::norms_and_adds() {
  const char* norm = m_.norm_bias ? "layernorm" : "rmsnorm";
  const double alone = stage_.first ? 1 : 0;
  const double adding = 2 * layers_ + (stage_.last ? 1 : 0) - alone;
  double plain = alone + real(m_.norms_per_layer - 2) * layers_;
  const std::vector<int64_t> dims{tokens_, m_.hidden};
  if (in_.fusion.add_norm && !m_.norm_bias) {
    add(Role::kNorm, "add_rmsnorm", dims, adding);
  } else {
    plain += adding;
    add(Role::kAdd, "add", dims, adding);
  }
  if (plain > 0) add(Role::kNorm, norm, dims, plain);
}

void Pass::attend() {
  const int64_t q = in_.shard.heads * m_.head_dim, kv = in_.shard.kv_heads * m_.head_dim;
  const int64_t heads = in_.shard.heads + in_.shard.kv_heads;  // of queries and keys
  quantise(Role::kQkv, m_.hidden, layers_);
  if (in_.fusion.qkv) {
    product(Role::kQkv, {.m = tokens_, .n = q + 2 * kv, .k = m_.hidden, .count = layers_});
  } else {
    product(Role::kQkv, {.m = tokens_, .n = q, .k = m_.hidden, .count = layers_});
    product(Role::kQkv, {.m = tokens_, .n = kv, .k = m_.hidden, .count = 2 * layers_});
  }
  if (m_.qk_norm) add(Role::kQkNorm, "rmsnorm", {tokens_ * heads, m_.head_dim}, layers_);
  if (!in_.fusion.rope_in_attention)
    add(Role::kRope, "rope", {tokens_, heads, m_.rotary_dim ? m_.rotary_dim : m_.head_dim},
        layers_);
  if (!in_.fusion.kv_write_in_attention) {
    Kernel& k =
        add(Role::kKvWrite, "kv_cache_write", {tokens_, in_.shard.kv_heads, m_.head_dim}, layers_);
    if (const double cache = size_of(in_.precision.kv_cache);
        cache != size_of(in_.precision.dtype)) {
      static const OpSpec& spec = find_operator("kv_cache_write");
      k.work = spec.work(k.call);
      k.work->bytes_written = 2 * real(tokens_) * real(kv) * cache;
    }
  }
  add_attention(m_, in_.shard, stage_, in_.precision, in_.step, in_.shape, out_);
  quantise(Role::kOutput, q, layers_);
  product(Role::kOutput, {.m = tokens_, .n = m_.hidden, .k = q, .count = layers_});
  collective(Role::kAllReduce, "all_reduce", hidden_bytes(), layers_);
}

void Pass::activation(int64_t ffn, double count) {
  const char* plain = m_.activation == Activation::kSilu ? "silu" : "gelu";
  if (!m_.gated || !in_.fusion.activation) {
    add(Role::kActivation, plain, {tokens_, ffn}, count);
    if (m_.gated) add(Role::kActivation, "mul", {tokens_, ffn}, count);
    return;
  }
  Kernel& k = add(Role::kActivation, "silu_mul", {tokens_, ffn}, count);
  if (m_.activation == Activation::kSilu) return;
  // gelu(gate) · up is the same kernel with another function: 5 flops and 1 for the product.
  static const OpSpec& spec = find_operator("silu_mul");
  k.work = spec.work(k.call);
  k.work->flops = 6 * real(tokens_) * real(ffn);
}

void Pass::mlp(int64_t ffn, double count) {
  const int64_t inner = m_.gated ? 2 : 1;
  quantise(Role::kGateUp, m_.hidden, count);
  if (in_.fusion.gate_up)
    product(Role::kGateUp, {.m = tokens_, .n = inner * ffn, .k = m_.hidden, .count = count});
  else
    product(Role::kGateUp, {.m = tokens_, .n = ffn, .k = m_.hidden, .count = real(inner) * count});
  activation(ffn, count);
  quantise(Role::kDown, ffn, count);
  product(Role::kDown, {.m = tokens_, .n = m_.hidden, .k = ffn, .count = count});
}

void Pass::dense_mlp() {
  const double layers = real(stage_.dense());
  mlp(in_.shard.ffn, layers);
  collective(Role::kAllReduce, "all_reduce", hidden_bytes(), layers);
}

void Pass::finish() {
  const int64_t samples = in_.shape.samples;
  if (samples == 0) return;
  product(Role::kLmHead, {.m = samples,
                          .n = in_.shard.vocab,
                          .k = m_.hidden,
                          .count = 1,
                          .weights = Weights::kNative});
  collective(
      Role::kAllGather, "all_gather",
      real(samples) * real(in_.shard.vocab * in_.parallel.tensor) * size_of(in_.precision.dtype),
      1);
  add(Role::kSampling, "argmax", {samples, m_.vocab}, 1);
}

// To the next stage, which lies `tensor` GPUs further.
void Pass::send() {
  const int64_t node = in_.parallel.gpus_per_node, tensor = in_.parallel.tensor;
  const auto first = static_cast<int64_t>(index_) * tensor;
  const bool inside = (first + 2 * tensor - 1) / node == first / node;
  add(Role::kSend, "send_recv", {2, static_cast<int64_t>(hidden_bytes()), inside ? 2 : 1}, 1);
}

}  // namespace ridge
