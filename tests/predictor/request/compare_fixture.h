#pragma once
#include "kernels/core/error.h"
#include "predictor/request/compare.h"
#include "roofline/datasheet.h"

namespace ridge::fixture {

inline Model model(const char* name, int64_t hidden, int64_t layers, int64_t ffn) {
  return {.name = name,
          .architecture = "LlamaForCausalLM",
          .hidden = hidden,
          .layers = layers,
          .heads = hidden / 128,
          .kv_heads = 8,
          .head_dim = 128,
          .ffn = ffn,
          .vocab = 128256,
          .max_positions = 131072,
          .dtype = Dtype::kBf16};
}
inline Model small() { return model("small-8b", 4096, 32, 14336); }
inline Model large() { return model("large-70b", 8192, 80, 28672); }

// A step takes 8 ms and 0.1 ms a sequence, shared by the GPUs.
inline RequestPrediction fake(const std::string& gpu, const Deployment& d, const Request& r) {
  if (r.prompts[0].tokens + r.output > d.model.max_positions) throw BadInput("context too long");
  const auto n = static_cast<double>(r.prompts[0].count), out = static_cast<double>(r.output);
  const double tp = static_cast<double>(d.parallel.tensor);
  const double tpot = (0.008 + 1e-4 * n) / tp, ttft = 1e-5 * n * 1024 / tp;
  const double total = ttft + (out - 1) * tpot;
  return {.ttft_s = {ttft, 0.9 * ttft, 1.1 * ttft},
          .tpot_s = {tpot, 0.9 * tpot, 1.1 * tpot},
          .total_s = {total, 0.9 * total, 1.1 * total},
          .output_tokens_per_s = n * out / total,
          .prefill = {.roles = {{.op = "gemm", .basis = Basis::kInterpolated},
                                {.op = "an_operator_of_a_long_name", .basis = Basis::kRoofline},
                                {.op = "another_of_a_long_name", .basis = Basis::kRoofline}}},
          .decode = {.roles = {{.op = "rope", .basis = Basis::kTransferred},
                               {.op = "another_of_a_long_name", .basis = Basis::kRoofline}}},
          .notes = {"on " + gpu}};
}

inline const CompareSource kFake{
    .device = [](const std::string& gpu) { return device_info(*find_device(gpu)); },
    .predict = fake};

inline Comparison comparison(const std::vector<std::string>& targets, std::vector<Model> models) {
  Comparison c{.models = std::move(models), .engine = find_engine("kernels")};
  for (const std::string& name : targets) c.targets.push_back(find_target(name));
  return c;
}

}  // namespace ridge::fixture
