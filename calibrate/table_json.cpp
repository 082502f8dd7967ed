#include <cmath>
#include <nlohmann/json.hpp>

#include "calibrate/delay_model.h"
#include "calibrate/delay_model_features.h"
#include "calibrate/table.h"
#include "calibrate/table_schema.h"
#include "kernels/core/call_json.h"
#include "kernels/core/error.h"
#include "kernels/core/json_schema.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

// The fields that are plain JSON values, named once for both directions.
template <class C, class F>
void each_field(C& c, F f) requires std::is_same_v<std::remove_const_t<C>, Curve> {
  f("op", c.op), f("implementation", c.implementation), f("kind", c.kind);
  f("fixed_s", c.fixed_s), f("floor", c.floor), f("samples", c.samples);
  f("dims_low", c.dims_low), f("dims_high", c.dims_high), f("features", c.features);
  f("centre", c.centre), f("scale", c.scale), f("low", c.low), f("high", c.high);
  f("weights", c.weights), f("signal", c.signal), f("linear", c.linear), f("noise", c.noise);
  f("doubt", c.doubt);
  f("log_delay", c.log_delay), f("log_delay_sd", c.log_delay_sd);
  f("cv_median_error", c.cv_median_error), f("cv_p90_error", c.cv_p90_error);
  f("interval", c.interval);
}

template <class S, class F>
void each_field(S& s, F f) requires std::is_same_v<std::remove_const_t<S>, Sample> {
  f("median_s", s.median_s), f("p10_s", s.p10_s), f("p90_s", s.p90_s), f("count", s.count);
  f("ideal_s", s.ideal_s), f("delay_factor", s.delay_factor), f("labels", s.labels);
}

template <class D, class F>
void each_field(D& d, F f) requires std::is_same_v<std::remove_const_t<D>, DeviceInfo> {
  f("kind", d.kind), f("name", d.name), f("uuid", d.uuid);
  f("compute_capability", d.compute_capability), f("units", d.units);
  f("last_level_cache_bytes", d.last_level_cache_bytes), f("memory_bytes", d.memory_bytes);
  f("clock_hz", d.clock_hz);
}

template <class T>
json fields(const T& t) {
  json j = json::object();
  each_field(t, [&](const char* key, const auto& value) { j[key] = value; });
  return j;
}

template <class T>
void read_fields(const json& j, T& t) {
  each_field(t, [&](const char* key, auto& value) { j.at(key).get_to(value); });
}

const char* calculation(Bound b) {
  return b == Bound::kCompute ? "peak_tflops" : "memory_bandwidth";
}

double ceiling_or_zero(const DelayTable& t, const std::string& key) {
  const auto it = t.ceilings.values.find(key);
  return it == t.ceilings.values.end() ? 0 : it->second.value;
}

// gpu_specs holds the measured ceilings that the delay factors were taken against, so that a
// first-generation reader's theoretical time · delay factor is the measured time.
json head(const DelayTable& t) {
  const std::string dtype(name(t.factors_dtype));
  json j;
  const bool cuda = t.device.kind == "cuda";
  const bool turing_or_v100 = t.device.compute_capability.starts_with("7.");
  const bool a100 = t.device.compute_capability == "8.0";
  j["gpu_specs"] = {{"name", t.device.name},
                    {"peak_fp16_tflops", ceiling_or_zero(t, "matrix." + dtype) / 1e12},
                    {"memory_bandwidth_gb_s", ceiling_or_zero(t, "dram.copy") / 1e9},
                    {"sm_count", t.device.units},
                    {"cuda_cores_per_sm", !cuda                    ? 0
                                          : turing_or_v100 || a100 ? 64
                                                                   : 128},
                    {"memory_size_gb", static_cast<double>(t.device.memory_bytes) / 1e9},
                    {"compute_capability", t.device.compute_capability}};
  std::size_t fewest = t.samples.empty() ? 0 : t.samples[0].count;
  for (const Sample& s : t.samples) fewest = std::min(fewest, s.count);
  j["benchmark_config"] = {{"dtype", dtype}, {"warmup_runs", 1}, {"benchmark_runs", fewest}};
  json& factors = j["delay_factors"] = json::object();
  for (const auto& [op, f] : t.factors)
    factors[op] = {{"avg_delay_factor", f.average},
                   {"min_delay_factor", f.smallest},
                   {"max_delay_factor", f.largest},
                   {"avg_tflops", f.average_flops_per_s / 1e12},
                   {"avg_throughput_gb_s", f.average_bytes_per_s / 1e9},
                   {"sample_count", f.count},
                   {"calculation_method", calculation(f.bound)}};
  json& details = j["detailed_results"]["calibration sweep"] = json::array();
  for (const Sample& s : t.samples) {
    if (s.method != t.method || s.call.dtype != t.factors_dtype) continue;
    const OpSpec& spec = find_operator(s.call.op);
    const double flops = spec.work(s.call).flops;
    details.push_back({{"operator_name", spec.table_name},
                       {"input_shape", s.call.dims},
                       {"delay_factor", s.delay_factor},
                       {"achieved_tflops", flops / s.median_s / 1e12},
                       {"actual_time_ms", s.median_s * 1e3},
                       {"theoretical_flops", flops},
                       {"theoretical_time_ms", s.ideal_s * 1e3},
                       {"calculation_method", calculation(s.bound)}});
  }
  return j;
}

void read_head(const json& j, DelayTable& t) {
  t.factors_dtype = parse_dtype(j.at("benchmark_config").at("dtype").get<std::string>());
  for (const auto& [op, f] : j.at("delay_factors").items())
    t.factors[op] = {
        .average = f.at("avg_delay_factor"),
        .smallest = f.at("min_delay_factor"),
        .largest = f.at("max_delay_factor"),
        .average_flops_per_s = f.at("avg_tflops").get<double>() * 1e12,
        .average_bytes_per_s = f.value("avg_throughput_gb_s", 0.0) * 1e9,
        .count = f.at("sample_count"),
        .bound = f.at("calculation_method") == "peak_tflops" ? Bound::kCompute : Bound::kDram};
}

// Empty when the curve can be asked as it is; else why not.
std::string stale(const Curve& c, const DelayTable& t) {
  const OpSpec& spec = find_operator(c.op);
  for (const std::size_t i : c.samples)
    if (i >= t.samples.size() || t.samples[i].call.op != c.op)
      return "refers to samples that are not there";
  if (!c.dims_low.empty() &&
      (c.dims_low.size() != spec.axes.size() || c.dims_high.size() != spec.axes.size()))
    return "was made for other axes";
  if (c.kind != "gaussian_process") return {};
  if (c.features != feature_names(spec)) return "was learned from other features";
  const std::size_t n = c.features.size();
  const bool sizes = c.centre.size() == n && c.scale.size() == n && c.low.size() == n &&
                     c.high.size() == n && c.weights.size() == n && !c.samples.empty();
  return sizes ? "" : "is incomplete";
}

DelayTable read_table(const json& j, const std::string& where) {
  DelayTable t;
  read_fields(j.at("device"), t.device);
  t.ceilings = ceilings_from_json(j.at("ceilings"));
  t.launch = {.stream_s = j.at("launch").at("stream_s"), .graph_s = j.at("launch").at("graph_s")};
  t.method = parse_method(j.at("method").get<std::string>());
  j.at("provenance").get_to(t.provenance);
  j.at("run_ids").get_to(t.run_ids);
  j.at("notes").get_to(t.notes);
  read_head(j, t);
  std::size_t index = 0;
  for (const json& entry : j.at("samples")) {
    Sample s;
    try {
      s.call = call_from_json(entry.at("call"));
    } catch (const BadInput& e) {
      throw BadInput("samples[" + std::to_string(index) + "].call: " + e.what());
    }
    s.method = parse_method(entry.at("method").get<std::string>());
    s.bound = parse_bound(entry.at("bound").get<std::string>());
    read_fields(entry, s);
    t.samples.push_back(std::move(s));
    ++index;
  }
  for (const json& entry : j.at("curves")) {
    Curve c;
    read_fields(entry, c);
    c.dtype = parse_dtype(entry.at("dtype").get<std::string>());
    t.curves.push_back(std::move(c));
  }
  for (const Curve& c : t.curves)
    if (const std::string why = stale(c, t); !why.empty()) {
      t.notes.push_back(where + ": all curves fitted anew, the one of " + c.op + " " + why);
      t.curves = fit_curves(t);
      break;
    }
  return t;
}

}  // namespace

json table_to_json(const DelayTable& t) {
  json j = head(t);
  j["schema_version"] = kTableVersion;
  j["device"] = fields(t.device);
  j["ceilings"] = to_short_json(t.ceilings);
  j["launch"] = {{"stream_s", t.launch.stream_s}, {"graph_s", t.launch.graph_s}};
  j["method"] = name(t.method);
  j["provenance"] = t.provenance;
  j["run_ids"] = t.run_ids;
  j["notes"] = t.notes;
  json& samples = j["samples"] = json::array();
  for (const Sample& s : t.samples) {
    json one = fields(s);
    one["call"] = call_to_json(s.call);
    // For readers without the operators' formulas; read_table() has them and takes no copy.
    const Work work = find_operator(s.call.op).work(s.call);
    one["flops"] = work.flops;
    one["bytes_read"] = work.bytes_read;
    one["bytes_written"] = work.bytes_written;
    one["method"] = name(s.method);
    one["bound"] = name(s.bound);
    samples.push_back(std::move(one));
  }
  json& curves = j["curves"] = json::array();
  for (const Curve& c : t.curves) {
    json one = fields(c);
    one["dtype"] = name(c.dtype);
    curves.push_back(std::move(one));
  }
  return j;
}

DelayTable table_from_json(const json& j, const std::string& where) {
  const std::string remake = "; make the table again with calibrate";
  if (!j.is_object())
    throw BadInput(where + ": not a delay-factor table but a bare value" + remake);
  const auto version = j.find("schema_version");
  const bool first = version == j.end() && j.contains("gpu_specs") && j.contains("delay_factors");
  if (version == j.end() && !first)
    throw BadInput(where + ": not a delay-factor table: key 'schema_version' is missing" + remake);
  if (version != j.end() && version->is_number() && version->get<double>() > kTableVersion)
    throw BadInput(where + ": key 'schema_version' is " + version->dump() +
                   ", newer than this program reads (" + std::to_string(kTableVersion) +
                   "); update Ridgepoint");
  try {
    if (!first)
      if (const std::string wrong = schema_errors(table_schema(), j); !wrong.empty())
        throw BadInput(wrong);
    DelayTable t = first ? first_generation_table(j, where) : read_table(j, where);
    t.model = std::make_shared<const DelayModel>(t);
    return t;
  } catch (const BadInput& e) {
    throw BadInput(where + ": " + e.what() + remake);
  } catch (const json::exception& e) {
    throw BadInput(where + ": " + e.what() + remake);
  }
}

}  // namespace ridge
