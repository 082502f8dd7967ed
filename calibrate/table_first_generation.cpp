#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calibrate/table.h"
#include "calibrate/table_schema.h"
#include "kernels/core/error.h"
#include "kernels/core/json_schema.h"
#include "kernels/core/operators.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

using nlohmann::json;

// A first-generation peak is replaced where the datasheet says otherwise by more than rounding.
constexpr double kRounding = 0.05;

std::string number(double v) {
  std::string text = std::to_string(std::round(v * 10) / 10);
  return text.substr(0, text.find('.') + 2);
}

struct Peaks {
  double tflops = 0, gb_per_s = 0;             // corrected
  double compute_scale = 1, memory_scale = 1;  // corrected / as written
};

Peaks corrected_peaks(const json& specs, const std::string& where,
                      std::vector<std::string>& notes) {
  const std::string name = specs.at("name");
  Peaks p{.tflops = specs.at("peak_fp16_tflops"), .gb_per_s = specs.at("memory_bandwidth_gb_s")};
  if (p.tflops <= 0 || p.gb_per_s <= 0)
    throw BadInput("gpu_specs: peak_fp16_tflops and memory_bandwidth_gb_s must be positive");
  const auto device = find_device(name);
  if (!device) {
    notes.push_back(where + ": no datasheet of '" + name +
                    "' here, its peaks are taken as written");
    return p;
  }
  auto correct = [&](double& value, double& scale, double truth, const std::string& what) {
    if (std::abs(truth / value - 1) <= kRounding) return;
    notes.push_back(where + ": " + what + " of " + name + " is " + number(truth) + ", not " +
                    number(value) + ": delay factors rescaled");
    scale = truth / value;
    value = truth;
  };
  const auto peak = device->peak_flops_per_s.find("matrix.f16");
  if (peak != device->peak_flops_per_s.end())
    correct(p.tflops, p.compute_scale, peak->second / 1e12, "dense FP16 peak (TFLOPS)");
  correct(p.gb_per_s, p.memory_scale, device->memory_bandwidth_bytes_per_s / 1e9,
          "memory bandwidth (GB/s)");
  return p;
}

// The delay factors of one operator in detailed_results, as written.
std::vector<double> details_of(const json& j, const std::string& op) {
  std::vector<double> delays;
  const auto results = j.find("detailed_results");
  if (results == j.end() || !results->is_object()) return delays;
  for (const auto& [model, list] : results->items())
    for (const json& entry : list)
      if (entry.is_object() && entry.value("operator_name", "") == op &&
          entry.contains("delay_factor") && entry["delay_factor"].is_number())
        delays.push_back(entry["delay_factor"].get<double>());
  return delays;
}

Factor corrected_factor(const json& f, const std::string& op, const json& j, const Peaks& peaks,
                        const std::string& where, std::vector<std::string>& notes) {
  const bool compute = f.at("calculation_method") == "peak_tflops";
  const double scale = compute ? peaks.compute_scale : peaks.memory_scale;
  Factor made{.average = f.at("avg_delay_factor").get<double>() * scale,
              .smallest = f.at("min_delay_factor").get<double>() * scale,
              .largest = f.at("max_delay_factor").get<double>() * scale,
              .average_flops_per_s = f.at("avg_tflops").get<double>() * 1e12,
              .average_bytes_per_s = f.value("avg_throughput_gb_s", 0.0) * 1e9,
              .count = f.at("sample_count"),
              .bound = compute ? Bound::kCompute : Bound::kDram};
  if (made.smallest >= 1) return made;
  // Faster than the ceiling: the data was in L2. What is left tells of DRAM.
  double sum = 0;
  std::size_t kept = 0, dropped = 0;
  for (const double written : details_of(j, op)) {
    const double delay = written * scale;
    (delay < 1 ? dropped : kept) += 1;
    sum += delay < 1 ? 0 : delay;
  }
  if (kept > 0) made.count = kept;
  made.average = kept > 0 ? sum / static_cast<double>(kept) : std::max(made.average, 1.0);
  notes.push_back(where + ": delay factors of " + op + " down to " + number(made.smallest) +
                  " come from L2-resident data held against DRAM: " +
                  (kept > 0 ? std::to_string(dropped) + " samples left out of the average"
                            : "held at 1 or above"));
  made.smallest = 1;
  made.largest = std::max(made.largest, made.average);
  return made;
}

// One constant: the first generation knew no shape.
Curve constant_curve(const OpSpec& spec, Dtype dtype, const Factor& f) {
  Curve c;
  c.op = spec.name;
  c.dtype = dtype;
  c.kind = "constant";
  c.log_delay = std::log(f.average);
  // Half the logarithmic range holds nearly all: taken as two standard deviations, 20 % at least.
  c.log_delay_sd = std::max(0.2, std::log(f.largest / f.smallest) / 4);
  c.cv_median_error = c.cv_p90_error = std::exp(c.log_delay_sd) - 1;
  return c;
}

Dtype written_dtype(const json& j) {
  const auto config = j.find("benchmark_config");
  std::string text = "f16";
  if (config != j.end() && config->is_object()) text = config->value("dtype", text);
  if (text.starts_with("torch.")) text.erase(0, 6);
  return parse_dtype(text == "float16" ? "f16" : text);
}

void set_ceilings(DelayTable& t, const Peaks& p) {
  const std::string how = "first-generation table, datasheet";
  t.ceilings.device = t.device.name;
  const Ceiling compute{.value = p.tflops * 1e12, .unit = "flop/s", .method = how};
  const Ceiling memory{.value = p.gb_per_s * 1e9, .unit = "byte/s", .method = how};
  t.ceilings.values["matrix." + std::string(name(t.factors_dtype))] = compute;
  if (const auto device = find_device(t.device.name)) {
    const auto vector = device->peak_flops_per_s.find("vector.f32");
    if (vector != device->peak_flops_per_s.end())
      t.ceilings.values["vector.f32"] = {.value = vector->second, .unit = "flop/s", .method = how};
    t.device.last_level_cache_bytes = device->l2_bytes;
    t.device.clock_hz = device->max_clock_hz;
  }
  for (const char* key : {"dram.read", "dram.write", "dram.copy", "dram.triad"})
    t.ceilings.values[key] = memory;
}

}  // namespace

DelayTable first_generation_table(const json& j, const std::string& where) {
  // The head's part of the schema, with what was always there.
  json schema = table_schema();
  schema["required"] = {"gpu_specs", "delay_factors"};
  schema["properties"].erase("detailed_results");
  schema["properties"].erase("benchmark_config");
  if (const std::string wrong = schema_errors(schema, j); !wrong.empty()) throw BadInput(wrong);

  DelayTable t;
  const json& specs = j.at("gpu_specs");
  t.device = {.kind = "cuda",
              .name = specs.at("name"),
              .compute_capability = specs.at("compute_capability"),
              .units = specs.at("sm_count"),
              .memory_bytes = static_cast<int64_t>(specs.at("memory_size_gb").get<double>() * 1e9)};
  t.provenance = {{"origin", "first-generation table " + where}};
  t.factors_dtype = written_dtype(j);
  const Peaks peaks = corrected_peaks(specs, where, t.notes);
  set_ceilings(t, peaks);
  for (const auto& [op, entry] : j.at("delay_factors").items()) {
    const Factor f = corrected_factor(entry, op, j, peaks, where, t.notes);
    t.factors[op] = f;
    bool known = false;
    for (const OpSpec& spec : operators())
      if (spec.table_name == op) {
        t.curves.push_back(constant_curve(spec, t.factors_dtype, f));
        known = true;
      }
    if (!known)
      t.notes.push_back(where + ": no operator is called '" + op + "' here: kept, not used");
  }
  return t;
}

}  // namespace ridge
