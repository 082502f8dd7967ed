#include "predictor/predict_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/core/call_json.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

constexpr const char* kAdded[] = {"predicted_us", "low_us", "high_us", "basis"};

std::vector<ErrorStatistics> statistics(const std::vector<CsvCall>& calls,
                                        const std::vector<Prediction>& predictions) {
  std::map<std::string, ErrorCollector> by_op;
  ErrorCollector all;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].latency_s) continue;
    by_op[calls[i].call.op].add(predictions[i], *calls[i].latency_s);
    all.add(predictions[i], *calls[i].latency_s);
  }
  std::vector<ErrorStatistics> list;
  for (const auto& [op, collected] : by_op) list.push_back(collected.summary(op));
  if (list.size() > 1) list.push_back(all.summary("all"));
  return list;
}

void remove_column(Csv& csv, const std::string& column) {
  const auto it = std::find(csv.header.begin(), csv.header.end(), column);
  if (it == csv.header.end()) return;
  const auto at = it - csv.header.begin();
  csv.header.erase(it);
  for (auto& row : csv.rows) row.erase(row.begin() + at);
}

}  // namespace

KernelPredictions predict_kernels(const DelayTable& table, Csv csv, const std::string& where) {
  KernelPredictions k;
  k.calls = calls_of(csv, where);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < k.calls.size(); ++i) {
    k.calls[i].call = call_in(table, k.calls[i]);
    try {
      check_call(table, k.calls[i].call);
    } catch (const BadInput& e) {
      throw BadInput(where + ": line " + std::to_string(csv.lines[i]) + " (row " +
                     std::to_string(i + 1) + "): " + e.what() +
                     "; calibrate this operator and dtype, or remove the row");
    }
    calls.push_back(k.calls[i].call);
  }
  k.predictions = predict_calls(table, calls);
  for (const char* column : kAdded) remove_column(csv, column);
  csv.header.insert(csv.header.end(), std::begin(kAdded), std::end(kAdded));
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const Prediction& p = k.predictions[i];
    for (const double s : {p.seconds, p.low_s, p.high_s})
      csv.rows[i].push_back(fmt::format("{:.5g}", s * 1e6));
    csv.rows[i].emplace_back(name(p.basis));
  }
  k.csv = std::move(csv);
  k.errors = statistics(k.calls, k.predictions);
  return k;
}

std::string csv_text(const Csv& csv) {
  std::string text = csv_line(csv.header);
  for (const auto& row : csv.rows) text += csv_line(row);
  return text;
}

nlohmann::json to_json(const KernelPredictions& k) {
  nlohmann::json j{{"predictions", nlohmann::json::array()}, {"errors", nlohmann::json::array()}};
  for (std::size_t i = 0; i < k.calls.size(); ++i) {
    const Prediction& p = k.predictions[i];
    nlohmann::json one{{"call", call_to_json(k.calls[i].call)},
                       {"predicted_us", p.seconds * 1e6},
                       {"low_us", p.low_s * 1e6},
                       {"high_us", p.high_s * 1e6},
                       {"bound", name(p.bound)},
                       {"basis", name(p.basis)}};
    if (k.calls[i].latency_s) one["latency_us"] = *k.calls[i].latency_s * 1e6;
    j["predictions"].push_back(std::move(one));
  }
  for (const ErrorStatistics& e : k.errors) j["errors"].push_back(to_json(e, "op"));
  return j;
}

}  // namespace ridge
