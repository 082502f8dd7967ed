#include "predictor/error_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace ridge {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  const double part = at - static_cast<double>(i);
  return i + 1 < sorted.size() ? sorted[i] * (1 - part) + sorted[i + 1] * part : sorted[i];
}

}  // namespace

void ErrorCollector::add(const Prediction& p, double measured_s) {
  errors_.push_back(std::abs(p.seconds / measured_s - 1));
  log_ratios_ += std::log(p.seconds / measured_s);
  inside_ += p.low_s <= measured_s && measured_s <= p.high_s;
}

ErrorStatistics ErrorCollector::summary(const std::string& name) const {
  std::vector<double> sorted = errors_;
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  return {.name = name,
          .count = sorted.size(),
          .mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n,
          .median = quantile(sorted, 0.5),
          .p90 = quantile(sorted, 0.9),
          .bias = std::exp(log_ratios_ / n) - 1,
          .inside = static_cast<double>(inside_) / n};
}

// At most eight characters, whatever the number.
std::string percent(double share) {
  const double size = std::abs(share);
  if (size >= 99.995) return fmt::format("{:.0e}%", 100 * share);
  return fmt::format("{:.{}f}%", 100 * share, size < 9.995 ? 1 : 0);
}

std::string signed_percent(double share) { return (share < 0 ? "" : "+") + percent(share); }

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

std::string shortened_begin(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : "..." + text.substr(text.size() - (most - 3));
}

std::string error_table(const std::string& what, const std::vector<ErrorStatistics>& errors) {
  std::string text = fmt::format("{:<28}{:>7}{:>8}{:>8}{:>8}{:>9}{:>12}\n", what, "rows", "mean",
                                 "median", "p90", "bias", "in low-high");
  for (const ErrorStatistics& e : errors)
    text += fmt::format("{:<28}{:>7}{:>8}{:>8}{:>8}{:>9}{:>11.0f}%\n", shortened(e.name, 27),
                        e.count, percent(e.mean), percent(e.median), percent(e.p90),
                        signed_percent(e.bias), 100 * e.inside);
  return text;
}

nlohmann::json to_json(const ErrorStatistics& e, const std::string& key) {
  return {{key, e.name},  {"count", e.count}, {"mean", e.mean},    {"median", e.median},
          {"p90", e.p90}, {"bias", e.bias},   {"inside", e.inside}};
}

}  // namespace ridge
