#include "profilers/llama/numerics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "kernels/core/error.h"

namespace ridge {
namespace {

using nlohmann::json;

// Null counts as absent, as in Transformers.
const json* find(const json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

double positive(const json& object, const char* key, double fallback, const std::string& where) {
  const json* value = find(object, key);
  if (!value) return fallback;
  if (!value->is_number() || !(value->get<double>() > 0) || !std::isfinite(value->get<double>()))
    throw BadInput(where + ": " + key + " must be a number above 0, not " + value->dump());
  return value->get<double>();
}

Numerics::Scaling scaling_of(const json& scaling, const std::string& where) {
  const json* type = find(scaling, "rope_type");
  if (!type) type = find(scaling, "type");
  if (!type || *type == "default") return Numerics::Scaling::kNone;
  if (*type == "linear") return Numerics::Scaling::kLinear;
  if (*type == "llama3") return Numerics::Scaling::kLlama3;
  throw BadInput(where + ": rope_scaling of type " + type->dump() +
                 " is not run here; default, linear and llama3 are");
}

}  // namespace

Numerics numerics_from_json(const json& config, const std::string& where) {
  Numerics n;
  n.epsilon = positive(config, "rms_norm_eps", n.epsilon, where);
  n.rope_theta = positive(config, "rope_theta", n.rope_theta, where);
  const json* scaling = find(config, "rope_scaling");
  if (!scaling) scaling = find(config, "rope_parameters");
  if (!scaling) return n;
  if (!scaling->is_object()) throw BadInput(where + ": rope_scaling must be an object");
  n.rope_theta = positive(*scaling, "rope_theta", n.rope_theta, where);
  n.scaling = scaling_of(*scaling, where);
  if (n.scaling == Numerics::Scaling::kNone) return n;
  n.factor = positive(*scaling, "factor", n.factor, where);
  n.low_freq_factor = positive(*scaling, "low_freq_factor", n.low_freq_factor, where);
  n.high_freq_factor = positive(*scaling, "high_freq_factor", n.high_freq_factor, where);
  n.original_positions =
      positive(*scaling, "original_max_position_embeddings", n.original_positions, where);
  if (n.scaling == Numerics::Scaling::kLlama3 && n.high_freq_factor <= n.low_freq_factor)
    throw BadInput(where + ": rope_scaling: high_freq_factor must be above low_freq_factor");
  return n;
}

std::vector<double> rope_frequencies(const Numerics& n, int64_t head_dim) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    double f =
        std::pow(n.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    if (n.scaling == Numerics::Scaling::kLinear) f /= n.factor;
    if (n.scaling == Numerics::Scaling::kLlama3) {
      // Turns within the original context: few are stretched, many are not, between it is blended.
      const double turns = n.original_positions * f / (2 * std::numbers::pi);
      const double kept = std::clamp(
          (turns - n.low_freq_factor) / (n.high_freq_factor - n.low_freq_factor), 0.0, 1.0);
      f = (1 - kept) * f / n.factor + kept * f;
    }
    frequencies.push_back(f);
  }
  return frequencies;
}

std::vector<float> rope_table(const Numerics& n, int64_t head_dim, int64_t positions) {
  const std::vector<double> frequencies = rope_frequencies(n, head_dim);
  std::vector<float> table;
  table.reserve(static_cast<std::size_t>(positions * head_dim));
  for (int64_t p = 0; p < positions; ++p) {
    for (const double f : frequencies)
      table.push_back(static_cast<float>(std::cos(static_cast<double>(p) * f)));
    for (const double f : frequencies)
      table.push_back(static_cast<float>(std::sin(static_cast<double>(p) * f)));
  }
  return table;
}

}  // namespace ridge
