#include "profilers/llama/speed_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "benchmark_results_schema.inc"  // made by CMake: kBenchmarkResultsSchemaText
#include "kernels/core/json_schema.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

std::string tests_text(const std::vector<SpeedResult>& tests) {
  std::string text =
      fmt::format("{:<10} {:>5} {:>6} {:>5} {:>9} {:>10} {:>9} {:>9} {:>9}\n", "Test Name", "Batch",
                  "Prompt", "Gen", "Time (s)", "Tokens/sec", "TTFT", "TPOT", "TPOT p95");
  text += fmt::format("{:<10} {:>5} {:>6} {:>5}\n", "", "", "Len", "Tokens");
  for (const SpeedResult& r : tests) {
    const bool decodes = r.test.output > 1;
    text += fmt::format("{:<10} {:>5} {:>6} {:>5} {:>9.3f} {:>10.2f} {:>9} {:>9} {:>9}\n",
                        r.test.name, r.test.batch, r.test.prompt, r.test.output, r.total_s.median,
                        r.output_tokens_per_s(), time_text(r.ttft_s.median),
                        decodes ? time_text(r.tpot_s.median) : "-",
                        decodes ? time_text(r.tpot_s.p95) : "-");
  }
  return text;
}

json of(const Spread& s) { return {{"median", s.median}, {"p95", s.p95}}; }
json of(const Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

json of(const SpeedResult& r) {
  json runs = json::array();
  for (const GenerationTimes& g : r.runs) {
    json steps = json::array();
    for (const StepTime& s : g.decode) steps.push_back(s.seconds);
    runs.push_back({{"ttft_s", g.ttft_s()}, {"total_s", g.total_s()}, {"decode_steps_s", steps}});
  }
  return {{"name", r.test.name},
          {"prompt_length", r.test.prompt},
          {"generated_tokens", r.test.output},
          {"batch", r.test.batch},
          {"repeats", r.repeats},
          {"time_s", r.total_s.median},
          {"tokens_per_s", r.output_tokens_per_s()},
          {"prompt_tokens_per_s", r.prompt_tokens_per_s()},
          {"ttft_s", of(r.ttft_s)},
          {"tpot_s", of(r.tpot_s)},
          {"device_share", r.device_share},
          {"runs", runs}};
}

json of(const Compared& c) {
  return {{"predicted_s", of(c.predicted_s)},
          {"measured_s", c.measured_s},
          {"error", c.error()},
          {"inside", c.inside()}};
}

json of(const SpeedValidation& v) {
  json roles = json::array();
  for (const ComparedRole& r : v.roles)
    roles.push_back({{"phase", name(r.phase)},
                     {"role", name(r.role)},
                     {"predicted_s", r.predicted_s},
                     {"measured_s", r.measured_s}});
  return {{"name", v.test.name},
          {"batch", v.test.batch},
          {"ttft", of(v.ttft)},
          {"tpot", v.test.output > 1 ? of(v.tpot) : json()},
          {"total", of(v.total)},
          {"operators", roles},
          {"explained_prefill", v.explained_prefill},
          {"explained_decode", v.explained_decode},
          {"host_prefill_s", v.host_prefill_s},
          {"host_decode_step_s", v.host_decode_s},
          {"notes", v.notes}};
}

bool is_int8(const SpeedReport& r) { return r.weight_format == WeightFormat::kInt8; }

template <class T>
json list(const std::vector<T>& all) {
  json j = json::array();
  for (const T& one : all) j.push_back(of(one));
  return j;
}

}  // namespace

std::string speed_text(const SpeedReport& r) {
  std::string text = fmt::format(
      "{} on {}, {}\nweights: {}{}{}\n\n", r.model.name, r.device.name, name(r.dtype), r.weights,
      is_int8(r) ? ", the layers' in int8" : "", r.graphs ? ", decode in graphs" : "");
  text += tests_text(r.tests);
  if (!r.sweep.empty()) text += "\nBatch sweep\n" + tests_text(r.sweep);
  text += fmt::format("\nMemory: weights {} GB, KV cache {} GB, activations {} GB; peak {} GB",
                      gb(static_cast<double>(r.bytes.weights)), gb(static_cast<double>(r.bytes.kv)),
                      gb(static_cast<double>(r.bytes.activations)),
                      gb(static_cast<double>(r.peak.host_bytes)));
  text += r.peak.device_bytes > 0
              ? fmt::format(" host,\n{} GB device\n", gb(static_cast<double>(r.peak.device_bytes)))
              : "\n";
  if (!r.text.empty()) text += "\nText\n" + r.text + "\n";
  if (!r.findings.empty()) text += "\nFindings\n";
  for (const std::string& f : r.findings) text += paragraph("- " + f, 2, 0);
  if (!r.validations.empty()) text += "\n" + validation_text(r.validations);
  return text;
}

json speed_json(const SpeedReport& r) {
  return {{"schema_version", kVersion},
          {"device", {{"kind", r.device.kind}, {"name", r.device.name}}},
          {"model",
           {{"name", r.model.name},
            {"architecture", r.model.architecture},
            {"layers", r.model.layers},
            {"parameters", parameters(r.model)}}},
          {"dtype", name(r.dtype)},
          {"weights", r.weights},
          {"weight_format", is_int8(r) ? "int8" : "native"},
          {"decode_graphs", r.graphs},
          {"memory_bytes",
           {{"weights", r.bytes.weights},
            {"kv_cache", r.bytes.kv},
            {"activations", r.bytes.activations},
            {"peak_host", r.peak.host_bytes},
            {"peak_device", r.peak.device_bytes}}},
          {"tests", list(r.tests)},
          {"sweep", list(r.sweep)},
          {"validation", list(r.validations)},
          {"sweep_validation", list(r.sweep_predicted)},
          {"findings", r.findings},
          {"text", r.text.empty() ? json() : json(r.text)},
          {"provenance", r.provenance}};
}

std::string speed_schema_errors(const json& j) {
  static const json schema = json::parse(kBenchmarkResultsSchemaText);
  return schema_errors(schema, j);
}

}  // namespace ridge
