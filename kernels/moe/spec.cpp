#include <algorithm>
#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/moe/moe.h"

namespace ridge::moe {

double expected_experts(const Dims& d) {
  const double share = static_cast<double>(d.topk) / static_cast<double>(d.experts);
  const double missed =
      share < 1 ? std::exp(static_cast<double>(d.tokens) * std::log1p(-share)) : 0;
  return static_cast<double>(d.local_experts()) * (1 - missed);
}

double expected_tokens(const Dims& d) {
  const auto others = static_cast<double>(d.experts - d.local_experts());
  const auto all = static_cast<double>(d.experts);
  double none = 1;  // of a token's choices is here
  for (int64_t i = 0; i < d.topk; ++i)
    none *= std::max(0.0, others - static_cast<double>(i)) / (all - static_cast<double>(i));
  return static_cast<double>(d.tokens) * (1 - none);
}

namespace {

// Routing is taken to be uniform; another distribution touches fewer experts and loads devices
// unevenly, which its delay factor shows. Three products (gate, up, down) of 2 flops a multiply-add
// for each of the tokens · topk / ep rows that are expected here; the activation function is not
// counted. Weights are read once where an expert has any token. What lies between the steps need
// not leave the chip.
Work work(const Call& call) {
  const Dims d = dims(call);
  const auto tokens = static_cast<double>(d.tokens), hidden = static_cast<double>(d.hidden),
             inter = static_cast<double>(d.local_inter()), topk = static_cast<double>(d.topk);
  const auto weight_size = static_cast<double>(bytes_per_element(call.dtype));
  const auto size = static_cast<double>(bytes_per_element(activation_dtype(call.dtype)));
  const double rows =
      tokens * topk * static_cast<double>(d.local_experts()) / static_cast<double>(d.experts);
  const double activations = size * expected_tokens(d) * hidden;
  return {.flops = 3 * 2.0 * rows * hidden * inter,
          .bytes_read = activations + 8 * tokens * topk +
                        weight_size * expected_experts(d) * 3 * hidden * inter,
          .bytes_written = activations,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

std::string constraint(const Call& call) {
  const Dims d = dims(call);
  if (d.topk > d.experts)
    return "topk=" + std::to_string(d.topk) +
           " must be at most experts=" + std::to_string(d.experts);
  if (d.ep > d.experts)
    return "ep=" + std::to_string(d.ep) + " must be at most experts=" + std::to_string(d.experts);
  if (d.tp > d.inter)
    return "tp=" + std::to_string(d.tp) + " must be at most inter=" + std::to_string(d.inter);
  return "";
}

void adjust(Call& call) {
  enum { kTopk = 3, kExperts, kTp, kEp };
  auto& d = call.dims;
  d[kTopk] = std::min(d[kTopk], d[kExperts]);
  d[kEp] = std::min(d[kEp], d[kExperts]);
}

std::vector<Axis> axes() {
  // Draws one of a few values only.
  const auto few = [](const char* name, const char* doc, int64_t max, std::vector<int64_t> usual,
                      Growth growth) {
    return Axis{.name = name,
                .doc = doc,
                .max = max,
                .sweep_low = usual.front(),
                .sweep_high = usual.back(),
                .usual = usual,
                .draw = Draw::kUsual,
                .growth = growth};
  };
  return {
      {.name = "tokens",
       .doc = "before routing",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 16384,
       .usual = {1, 8, 32, 128, 512, 2048, 8192}},
      few("hidden", "model width", 1 << 20, {2048, 4096, 5120, 6144, 7168}, Growth::kMonotone),
      few("inter", "inner width of an expert", 1 << 20, {768, 1024, 1536, 2048, 8192, 14336},
          Growth::kMonotone),
      few("topk", "experts of a token", 1 << 10, {1, 2, 4, 6, 8}, Growth::kMonotone),
      few("experts", "in all", 1 << 14, {8, 16, 64, 128, 256}, Growth::kFree),
      few("tp", "devices that share an expert", 1 << 10, {1, 2, 4, 8}, Growth::kFree),
      few("ep", "groups of devices that share the experts", 1 << 14, {1, 2, 4, 8}, Growth::kFree)};
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "moe";
  s.table_name = "MoE";
  s.doc = "y = Σ over topk experts of weight · (silu(x · Wg^T) · (x · Wu^T)) · Wd^T, on one device";
  s.axes = axes();
  s.dtypes = {Dtype::kF16, Dtype::kBf16, Dtype::kF8E4M3};
  s.no_launch = "has no launch here yet; its times can be imported";
  s.constraint = constraint;
  s.adjust = adjust;
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    const int64_t experts = d.local_experts(), inter = d.local_inter();
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = activation_dtype(c.dtype), .shape = {d.tokens, d.hidden}},
        {.name = "ids",
         .dtype = Dtype::kInt32,
         .shape = {d.tokens, d.topk},
         .fill = Fill::kIndex,
         .index_limit = d.experts},
        {.name = "weights", .dtype = Dtype::kF32, .shape = {d.tokens, d.topk}},
        {.name = "W_gate_up", .dtype = c.dtype, .shape = {experts, 2 * inter, d.hidden}},
        {.name = "W_down", .dtype = c.dtype, .shape = {experts, d.hidden, inter}}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = activation_dtype(c.dtype), .shape = {d.tokens, d.hidden}}};
  };
  s.test_dims = {{1, 8, 8, 1, 1, 1, 1},
                 {5, 64, 96, 2, 8, 1, 1},
                 {33, 128, 64, 8, 128, 4, 8},
                 {1024, 256, 100, 4, 60, 8, 16}};
  return {s};
}

}  // namespace ridge::moe
