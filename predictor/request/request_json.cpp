#include <nlohmann/json.hpp>

#include "kernels/core/json_schema.h"
#include "predictor/request/request_report.h"
#include "request_schema.inc"  // made by CMake: kRequestSchemaText

namespace ridge {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

json of(const Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

// A rate: `tokens` over a time.
json rate(double tokens, const Estimate& e) {
  if (e.value <= 0) return nullptr;
  return {{"value", tokens / e.value}, {"low", tokens / e.high}, {"high", tokens / e.low}};
}

std::string_view name(WeightFormat f) {
  switch (f) {
    case WeightFormat::kFp8:
      return "fp8";
    case WeightFormat::kInt8:
      return "int8";
    case WeightFormat::kInt4:
      return "int4";
    case WeightFormat::kNative:
      break;
  }
  return "native";
}

json of(const Deployment& d) {
  return {{"model", d.model.name},
          {"dtype", ridge::name(d.precision.dtype)},
          {"weights", name(d.precision.weights)},
          {"quantised_activations", d.precision.quantised_activations},
          {"kv_cache", ridge::name(d.precision.kv_cache)},
          {"engine", d.engine.name},
          {"tensor", d.parallel.tensor},
          {"pipeline", d.parallel.pipeline},
          {"expert", d.parallel.expert},
          {"data", d.parallel.data},
          {"gpus", d.parallel.gpus()}};
}

json of(const Request& r) {
  json prompts = json::array();
  for (const Prompt& p : r.prompts)
    prompts.push_back({{"count", p.count}, {"tokens", p.tokens}, {"cached", p.cached}});
  json speculation;
  if (r.speculation)
    speculation = {{"draft", r.speculation->draft.name},
                   {"tokens", r.speculation->tokens},
                   {"acceptance", r.speculation->acceptance}};
  return {{"batch", r.batch()},
          {"prompts", prompts},
          {"output", r.output},
          {"chunk", r.chunk},
          {"speculation", speculation}};
}

json of(const Memory& m, const std::vector<std::string>& would_fit) {
  return {{"fits", m.fits()},
          {"capacity_bytes", m.capacity},
          {"usable_bytes", m.usable},
          {"total_bytes", m.total()},
          {"weights_bytes", m.weights},
          {"kv_bytes", m.kv},
          {"activations_bytes", m.activations},
          {"workspace_bytes", m.workspace},
          {"framework_bytes", m.framework},
          {"kv_bytes_per_token", m.kv_bytes_per_token},
          {"kv_blocks", m.kv_blocks},
          {"max_batch", m.max_batch},
          {"max_context", m.max_context},
          {"would_fit", would_fit}};
}

json of(const Phase& p) {
  json roles = json::array();
  for (const RoleTime& r : p.roles)
    roles.push_back({{"role", ridge::name(r.role)},
                     {"op", r.op},
                     {"seconds", r.seconds},
                     {"share", r.seconds / p.seconds.value},
                     {"flops", r.flops},
                     {"bytes", r.bytes},
                     {"bound", ridge::name(r.bound)},
                     {"basis", ridge::name(r.basis)}});
  return {{"seconds", of(p.seconds)},
          {"host_s", p.host_s},
          {"bound_s", p.bound_s},
          {"flops", p.flops},
          {"bytes", p.bytes},
          {"intensity_flops_per_byte", p.intensity()},
          {"mfu", p.mfu},
          {"bandwidth_utilisation", p.bandwidth_utilisation},
          {"roles", roles}};
}

json of(const BatchCurve& c, const Limits& limits) {
  const auto batch = [&](const std::optional<std::size_t>& i) {
    return i ? json(c.points[*i].batch) : json(nullptr);
  };
  json points = json::array();
  for (const BatchPoint& p : c.points)
    points.push_back({{"batch", p.batch},
                      {"fits", p.fits},
                      {"ttft_s", of(p.prediction.ttft_s)},
                      {"tpot_s", of(p.prediction.tpot_s)},
                      {"total_s", of(p.prediction.total_s)},
                      {"output_tokens_per_s", p.prediction.output_tokens_per_s}});
  return {{"points", points},
          {"knee_batch", batch(c.knee)},
          {"best_batch", batch(c.best)},
          {"ttft_limit_s", limits.ttft_s > 0 ? json(limits.ttft_s) : json(nullptr)},
          {"tpot_limit_s", limits.tpot_s > 0 ? json(limits.tpot_s) : json(nullptr)}};
}

}  // namespace

json to_json(const RequestAnswer& a) {
  const RequestPrediction& p = a.prediction;
  const auto tokens = static_cast<double>(a.request.batch() * a.request.output);
  json j{{"schema_version", kVersion},
         {"gpu", a.gpu},
         {"deployment", of(a.deployment)},
         {"request", of(a.request)},
         {"fine_tuning", a.fine_tuning},
         {"ttft_s", of(p.ttft_s)},
         {"total_s", of(p.total_s)},
         {"output_tokens_per_s", rate(tokens, p.total_s)},
         {"prefill", of(p.prefill)},
         {"answered_by", a.answered_by},
         {"notes", p.notes}};
  for (const char* key : {"tpot_s", "tpot_first_s", "tpot_last_s", "itl_s",
                          "output_tokens_per_s_user", "decode", "memory", "batch_curve"})
    j[key] = nullptr;
  if (a.request.output > 1) {
    j["tpot_s"] = of(p.tpot_s);
    j["tpot_first_s"] = of(p.tpot_first_s);
    j["tpot_last_s"] = of(p.tpot_last_s);
    j["itl_s"] = {{"p50", p.itl_p50_s}, {"p95", p.itl_p95_s}, {"p99", p.itl_p99_s}};
    j["output_tokens_per_s_user"] = rate(1, p.tpot_s);
    j["decode"] = of(p.decode);
  }
  if (a.memory) j["memory"] = of(*a.memory, a.would_fit);
  if (a.curve) j["batch_curve"] = of(*a.curve, a.limits);
  return j;
}

std::string request_schema_errors(const json& j) {
  static const json schema = json::parse(kRequestSchemaText);
  return schema_errors(schema, j);
}

}  // namespace ridge
