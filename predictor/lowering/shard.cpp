#include "predictor/lowering/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/core/error.h"

namespace ridge {
namespace {

constexpr int64_t kMostGpus = 1024;

void check_count(const char* what, int64_t value) {
  if (value < 1 || value > kMostGpus)
    throw BadInput(fmt::format("{} = {} must be in [1, {}]", what, value, kMostGpus));
}

void check_divides(const Model& m, const char* what, int64_t size, const char* parallel,
                   int64_t gpus) {
  if (size % gpus != 0)
    throw BadInput(fmt::format("{}: {} {} cannot be divided by {} {}; choose a divisor", m.name,
                               size, what, parallel, gpus));
}

void shard_experts(const Model& m, const Parallel& p, Shard& s) {
  const Experts& e = *m.experts;
  s.expert_ep = p.expert;
  s.expert_tp = std::max<int64_t>(1, p.tensor / p.expert);
  s.replicas = std::max<int64_t>(1, p.expert / p.tensor);
  if (std::max(p.tensor, p.expert) % std::min(p.tensor, p.expert) != 0)
    throw BadInput(
        fmt::format("expert parallel {} and tensor parallel {}: one must be a multiple "
                    "of the other",
                    p.expert, p.tensor));
  if (p.data % s.replicas != 0)
    throw BadInput(
        fmt::format("expert parallel {} needs a multiple of {} GPUs of tensor parallel "
                    "{} · data parallel {}",
                    p.expert, p.expert, p.tensor, p.data));
  check_divides(m, "experts", e.count, "expert parallel", p.expert);
  check_divides(m, "features of an expert", e.ffn, "tensor parallel", s.expert_tp);
  check_divides(m, "features of the shared expert", e.shared_ffn, "tensor parallel", p.tensor);
  s.shared_ffn = e.shared_ffn / p.tensor;
}

}  // namespace

Shard shard_of(const Model& m, const Parallel& p) {
  check_count("tensor parallel", p.tensor);
  check_count("pipeline parallel", p.pipeline);
  check_count("expert parallel", p.expert);
  check_count("data parallel", p.data);
  check_count("GPUs of a node", p.gpus_per_node);
  if (p.pipeline > m.layers)
    throw BadInput(fmt::format("{}: {} layers make at most as many pipeline stages, not {}", m.name,
                               m.layers, p.pipeline));
  check_divides(m, "heads", m.heads, "tensor parallel", p.tensor);
  if (m.kv_heads >= p.tensor)
    check_divides(m, "key and value heads", m.kv_heads, "tensor parallel", p.tensor);
  else if (p.tensor % m.kv_heads != 0)
    throw BadInput(
        fmt::format("{}: {} key and value heads cannot be repeated over tensor parallel "
                    "{}; choose a multiple",
                    m.name, m.kv_heads, p.tensor));
  if (m.dense_layers() > 0)
    check_divides(m, "features of the MLP", m.ffn, "tensor parallel", p.tensor);
  if (!m.experts && p.expert > 1)
    throw BadInput(
        fmt::format("{} has no experts: expert parallel must be 1, not {}", m.name, p.expert));
  Shard s{.heads = m.heads / p.tensor,
          .kv_heads = std::max<int64_t>(1, m.kv_heads / p.tensor),
          .ffn = m.ffn / p.tensor,
          .vocab = ceil_div(m.vocab, p.tensor)};
  if (m.experts) shard_experts(m, p, s);
  return s;
}

std::vector<Stage> stages_of(const Model& m, const Parallel& p) {
  std::vector<Stage> stages;
  const int64_t each = m.layers / p.pipeline, rest = m.layers % p.pipeline;
  int64_t begin = 0;
  for (int64_t i = 0; i < p.pipeline; ++i) {
    const bool longer = i < p.pipeline - 1 && i >= p.pipeline - 1 - rest;
    const int64_t end = begin + each + (longer ? 1 : 0);
    const auto part = [&](int64_t all) { return all * end / m.layers - all * begin / m.layers; };
    stages.push_back({.layers = end - begin,
                      .windowed = part(m.windowed_layers),
                      .experts = part(m.expert_layers()),
                      .first = i == 0,
                      .last = i == p.pipeline - 1});
    begin = end;
  }
  return stages;
}

double Precision::bytes_per_weight() const {
  const double scale = 2.0 / static_cast<double>(group);
  switch (weights) {
    case WeightFormat::kNative:
      break;
    case WeightFormat::kFp8:
    case WeightFormat::kInt8:
      return quantised_activations ? 1 : 1 + scale;
    case WeightFormat::kInt4:
      return 0.5 + scale;
  }
  return static_cast<double>(bytes_per_element(dtype));
}

void check_precision(const Model& m, const Precision& p) {
  if (p.dtype != Dtype::kBf16 && p.dtype != Dtype::kF16 && p.dtype != Dtype::kF32)
    throw BadInput(
        fmt::format("activations cannot be {}; they are bf16, f16 or f32", name(p.dtype)));
  if (m.experts && p.dtype == Dtype::kF32)
    throw BadInput(m.name + ": experts do not come in f32; ask for bf16 or f16");
  if (p.kv_cache == Dtype::kTf32 || p.kv_cache == Dtype::kF64 || p.kv_cache == Dtype::kInt32)
    throw BadInput(fmt::format("the KV cache cannot be {}; it is bf16, f16, f32, f8e4m3 or int8",
                               name(p.kv_cache)));
  if (p.group < 1) throw BadInput(fmt::format("{} weights a scale: at least 1", p.group));
}

}  // namespace ridge
