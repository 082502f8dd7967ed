#include "programs/deployment_options.h"

#include <charconv>
#include <cmath>

#include "kernels/core/error.h"

namespace ridge {
namespace {

const std::map<std::string, WeightFormat> kWeights{{"native", WeightFormat::kNative},
                                                   {"fp8", WeightFormat::kFp8},
                                                   {"int8", WeightFormat::kInt8},
                                                   {"int4", WeightFormat::kInt4}};

}  // namespace

double parse_limit(const std::string& option, const std::string& text) {
  if (text.empty()) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || !std::isfinite(value) || value <= 0 || (unit != "ms" && unit != "s"))
    throw BadInput(option + " " + text + ": want a time such as 50ms or 0.5s");
  return unit == "ms" ? value / 1e3 : value;
}

EngineProfile DeploymentOptions::profile() const { return find_engine(engine); }

Limits DeploymentOptions::limits() const {
  return {.ttft_s = parse_limit("--ttft-limit", ttft_limit),
          .tpot_s = parse_limit("--tpot-limit", tpot_limit)};
}

Precision DeploymentOptions::precision(Dtype fallback) const {
  Precision p{.dtype = dtype.empty() ? fallback : parse_dtype(dtype),
              .weights = kWeights.at(weights),
              .quantised_activations = !weight_only};
  p.kv_cache = kv_cache.empty() ? p.dtype : parse_dtype(kv_cache);
  return p;
}

void add_deployment_options(CLI::App& app, DeploymentOptions& o) {
  app.add_option("--chunk", o.chunk, "Tokens of a prefill step at most; 0: as the engine has it");
  app.add_option("--engine", o.engine,
                 "Engine profile: kernels (nothing added), vllm, sglang, tensorrt-llm, "
                 "transformers, or a file")
      ->capture_default_str();
  app.add_option("--dtype", o.dtype,
                 "Of activations and native weights; the model's, if the GPU can");
  app.add_option("--weights", o.weights, "Format of quantised weights")
      ->check(CLI::IsMember(names_of(kWeights)))
      ->capture_default_str();
  app.add_flag("--weight-only", o.weight_only,
               "Quantised weights only: products run in the model's dtype");
  app.add_option("--kv-cache", o.kv_cache, "Dtype of the KV cache: f8e4m3, int8; the model's");
  app.add_option("--ttft-limit", o.ttft_limit, "Time to first token to keep: 500ms");
  app.add_option("--tpot-limit", o.tpot_limit, "Time per output token to keep: 50ms");
}

}  // namespace ridge
