#include "predictor/request/fine_tuning.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fine_tuning_schema.inc"  // made by CMake: kFineTuningSchemaText
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/json_schema.h"
#include "kernels/core/operators.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

using nlohmann::json;

std::string gpu_name(const std::string& gpu) {
  const auto spec = find_device(gpu);
  return spec ? spec->name : gpu;
}

bool is_operator(const std::string& op) {
  const auto& all = operators();
  return !first_generation_operators(op).empty() ||
         std::any_of(all.begin(), all.end(), [&](const OpSpec& s) { return s.name == op; });
}

// "A100_80G_Linear_GEMM": what is before one of the underscores is a GPU, what is behind it an
// operator.
void set_flat(FineTuning& f, const std::string& key, double factor) {
  for (std::size_t at = key.find('_'); at != std::string::npos; at = key.find('_', at + 1)) {
    const std::string gpu = key.substr(0, at), op = key.substr(at + 1);
    if (find_device(gpu) && is_operator(op)) return f.set(gpu, op, factor);
  }
  throw BadInput("'" + key + "': want GPU_Operator, such as T4_Linear_GEMM");
}

FineTuning from_json(const json& j) {
  FineTuning f;
  if (!j.is_object() || !j.contains("schema_version")) {
    for (const auto& [key, factor] : j.items()) {
      if (!factor.is_number()) throw BadInput("'" + key + "': its factor is not a number");
      set_flat(f, key, factor.get<double>());
    }
    return f;
  }
  static const json schema = json::parse(kFineTuningSchemaText);
  if (const std::string wrong = schema_errors(schema, j); !wrong.empty()) throw BadInput(wrong);
  for (const auto& [gpu, factors] : j.at("multipliers").items())
    for (const auto& [op, factor] : factors.items()) f.set(gpu, op, factor.get<double>());
  return f;
}

}  // namespace

void FineTuning::set(const std::string& gpu, const std::string& op, double factor) {
  if (!std::isfinite(factor) || factor <= 0)
    throw BadInput(op + ": its factor must be a number above 0");
  if (!is_operator(op)) (void)find_operator(op);  // throws, with those there are
  by_gpu_[gpu_name(gpu)][op] = factor;
}

void FineTuning::set(const std::string& gpu, const std::string& text) {
  const std::size_t equals = text.find('=');
  double factor = 0;
  const char* first = text.data() + (equals == std::string::npos ? text.size() : equals + 1);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, factor);
  if (equals == std::string::npos || error != std::errc() || end != last)
    throw BadInput("'" + text + "': want operator=factor, such as gemm=0.9, or a JSON file");
  set(gpu, text.substr(0, equals), factor);
}

const FineTuning::Factors& FineTuning::of(const std::string& gpu) const {
  static const Factors none;
  const auto it = by_gpu_.find(gpu_name(gpu));
  return it == by_gpu_.end() ? none : it->second;
}

void FineTuning::apply(TableSet& tables) const {
  for (const auto& [op, factor] : of(tables.device().name)) tables.fine_tune(op, factor);
}

FineTuning read_fine_tuning(const std::filesystem::path& file) {
  const json j = read_json(file);
  try {
    return from_json(j);
  } catch (const BadInput& e) {
    throw BadInput(file.string() + ": not multipliers: " + e.what());
  }
}

void save_fine_tuning(const FineTuning& f, const std::filesystem::path& file) {
  write_json(file, {{"schema_version", 1}, {"multipliers", f.all()}});
}

}  // namespace ridge
