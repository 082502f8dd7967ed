#include "profilers/measurement.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "kernels/core/call_json.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

// Linear interpolation between order statistics.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

std::string_view name(Status s) {
  return s == Status::kOk ? "ok" : s == Status::kSkipped ? "skipped" : "wrong";
}

Status parse_status(const std::string& text) {
  for (Status s : {Status::kOk, Status::kSkipped, Status::kWrong})
    if (name(s) == text) return s;
  throw BadInput("measurement: status '" + text + "' is none of ok, skipped, wrong");
}

template <class T>
T get(const nlohmann::json& j, const char* key) {
  try {
    return j.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw BadInput(std::string("measurement: key '") + key + "' is missing or of a wrong type");
  }
}

}  // namespace

Summary summarize(const std::vector<double>& samples_s) {
  if (samples_s.empty()) return {.relative_ci = 1};
  std::vector<double> sorted = samples_s;
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  Summary s{.median_s = quantile(sorted, 0.5),
            .p10_s = quantile(sorted, 0.1),
            .p90_s = quantile(sorted, 0.9),
            .mean_s = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n,
            .min_s = sorted.front(),
            .relative_ci = 1,
            .count = sorted.size()};
  // Distribution-free interval of the median: ranks n/2 ± 1.96·√n/2 (binomial, normal limit).
  const double half = 0.98 / std::sqrt(n);
  if (sorted.size() >= 5 && s.median_s > 0)
    s.relative_ci = (quantile(sorted, std::min(1.0, 0.5 + half)) -
                     quantile(sorted, std::max(0.0, 0.5 - half))) /
                    (2 * s.median_s);
  return s;
}

nlohmann::json to_json(const Measurement& m) {
  nlohmann::json j = call_to_json(m.call);
  j["method"] = std::string(name(m.method));
  j["status"] = std::string(name(m.status));
  if (!m.reason.empty()) j["reason"] = m.reason;
  const Summary s = summarize(m.samples_s);
  j["median_s"] = s.median_s;
  j["p10_s"] = s.p10_s;
  j["p90_s"] = s.p90_s;
  j["samples_s"] = m.samples_s;
  j["busy"] = m.busy;
  j["launches_per_sample"] = m.launches_per_sample;
  j["rotation_bytes"] = m.rotation_bytes;
  j["detail"] = m.detail;
  j["converged"] = m.converged;
  j["anchor"] = m.anchor;
  j["telemetry"] = m.telemetry;
  j["labels"] = m.labels;
  j["run_id"] = m.run_id;
  j["unix_time_s"] = m.unix_time_s;
  j["wall_s"] = m.wall_s;
  return j;
}

Measurement measurement_from_json(const nlohmann::json& j) {
  Measurement m;
  m.call = call_from_json(j);
  m.method = parse_method(get<std::string>(j, "method"));
  m.status = parse_status(get<std::string>(j, "status"));
  if (j.contains("reason")) m.reason = get<std::string>(j, "reason");
  m.samples_s = get<std::vector<double>>(j, "samples_s");
  for (double s : m.samples_s)
    if (!std::isfinite(s) || s <= 0)
      throw BadInput("measurement: samples_s holds a time that is not positive");
  m.busy = get<std::vector<double>>(j, "busy");
  m.launches_per_sample = get<int>(j, "launches_per_sample");
  m.rotation_bytes = get<int64_t>(j, "rotation_bytes");
  m.detail = get<std::string>(j, "detail");
  m.converged = get<bool>(j, "converged");
  m.anchor = get<bool>(j, "anchor");
  m.telemetry = get<std::map<std::string, double>>(j, "telemetry");
  m.labels = get<std::vector<std::string>>(j, "labels");
  m.run_id = get<std::string>(j, "run_id");
  m.unix_time_s = get<double>(j, "unix_time_s");
  m.wall_s = get<double>(j, "wall_s");
  if (m.status == Status::kOk && m.samples_s.empty())
    throw BadInput("measurement: status is ok but there are no samples");
  return m;
}

}  // namespace ridge
