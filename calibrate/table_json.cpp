#include <cmath>
#include <nlohmann/json.hpp>

#include "calibrate/curve_json.h"
#include "calibrate/delay_model.h"
#include "calibrate/fit_curve.h"
#include "calibrate/sample_json.h"
#include "calibrate/table.h"
#include "calibrate/table_schema.h"
#include "kernels/core/error.h"
#include "kernels/core/json_schema.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

constexpr std::size_t kMostDetails = 500;

// The fields that are plain JSON values, named once for both directions.
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

// Of the samples behind the factors, kMostDetails at most and then evenly chosen: `samples` has
// them all.
json details(const DelayTable& t) {
  std::vector<const Sample*> behind;
  for (const Sample& s : t.samples)
    if (s.method == t.method && s.call.dtype == t.factors_dtype) behind.push_back(&s);
  const std::size_t count = std::min(behind.size(), kMostDetails);
  json list = json::array();
  for (std::size_t i = 0; i < count; ++i) {
    const Sample& s = *behind[i * behind.size() / count];
    const OpSpec& spec = find_operator(s.call.op);
    const double flops = spec.work(s.call).flops;
    list.push_back({{"operator_name", spec.table_name},
                    {"input_shape", s.call.dims},
                    {"delay_factor", s.delay_factor},
                    {"achieved_tflops", flops / s.median_s / 1e12},
                    {"actual_time_ms", s.median_s * 1e3},
                    {"theoretical_flops", flops},
                    {"theoretical_time_ms", s.ideal_s * 1e3},
                    {"calculation_method", calculation(s.bound)}});
  }
  return list;
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
  j["detailed_results"]["calibration sweep"] = details(t);
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

// One curve that cannot be asked as it is makes all be fitted anew.
void read_curves(const json& list, const std::string& where, DelayTable& t) {
  for (const json& entry : list) t.curves.push_back(curve_from_json(entry));
  sort_samples(t);
  for (const Curve& c : t.curves)
    if (const std::string why = why_stale(c, t); !why.empty()) {
      if (t.samples.empty())
        throw BadInput("the curve of " + c.op + " " + why + " and there are no samples to fit it to");
      t.notes.push_back(where + ": all curves fitted anew, the one of " + c.op + " " + why);
      t.curves = fit_curves(t);
      break;
    }
}

DelayTable read_table(const json& j, std::vector<Sample> samples, const std::string& where) {
  DelayTable t;
  read_fields(j.at("device"), t.device);
  t.ceilings = ceilings_from_json(j.at("ceilings"));
  t.launch = {.stream_s = j.at("launch").at("stream_s"), .graph_s = j.at("launch").at("graph_s")};
  t.method = parse_method(j.at("method").get<std::string>());
  j.at("provenance").get_to(t.provenance);
  j.at("run_ids").get_to(t.run_ids);
  j.at("notes").get_to(t.notes);
  read_head(j, t);
  t.samples = std::move(samples);
  read_curves(j.at("curves"), where, t);
  return t;
}

void check(const json& j) {
  if (const std::string wrong = schema_errors(table_schema(), j); !wrong.empty())
    throw BadInput(wrong);
}

DelayTable read_version_3(const json& j, const std::string& where) {
  check(j);
  return read_table(j, samples_from_json(j.at("samples")), where);
}

// Its samples were written another way and its curves were of another kind; all else is as it was.
DelayTable read_version_2(json j, const std::string& where) {
  std::vector<Sample> samples = samples_from_version_2(j.value("samples", json()));
  j["samples"] = j["curves"] = json::array();
  j["schema_version"] = kTableVersion;
  check(j);
  DelayTable t = read_table(j, std::move(samples), where);
  t.curves = fit_curves(t);
  t.notes.push_back(
      "read from a table of version 2: times kept to five digits, delay factors to four, curves "
      "fitted anew");
  return t;
}

// 1 for the first generation, which had no such key.
int version_of(const json& j) {
  const auto version = j.find("schema_version");
  if (version == j.end() && j.contains("gpu_specs") && j.contains("delay_factors")) return 1;
  if (version == j.end())
    throw BadInput("not a delay-factor table: key 'schema_version' is missing");
  if (version->is_number() && version->get<double>() > kTableVersion)
    throw BadInput("key 'schema_version' is " + version->dump() +
                   ", newer than this program reads (" + std::to_string(kTableVersion) +
                   "): update Ridgepoint");
  if (*version != 2 && *version != kTableVersion)
    throw BadInput("key 'schema_version' is " + version->dump() +
                   ", which this program does not know: it reads 2, " +
                   std::to_string(kTableVersion) + " and first-generation tables, which have none");
  return version->get<int>();
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
  j["samples"] = samples_to_json(t.samples);
  j["curves"] = json::array();
  for (const Curve& c : t.curves) j["curves"].push_back(curve_to_json(c));
  return j;
}

DelayTable table_from_json(const json& j, const std::string& where) {
  const std::string remake = "; make the table again with calibrate";
  try {
    if (!j.is_object()) throw BadInput("not a delay-factor table but a bare value");
    const int version = version_of(j);
    DelayTable t = version == 1   ? first_generation_table(j, where)
                   : version == 2 ? read_version_2(j, where)
                                  : read_version_3(j, where);
    t.model = std::make_shared<const DelayModel>(t);
    return t;
  } catch (const BadInput& e) {
    throw BadInput(where + ": " + e.what() + remake);
  } catch (const json::exception& e) {
    throw BadInput(where + ": " + e.what() + remake);
  }
}

}  // namespace ridge
