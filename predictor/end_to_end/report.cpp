#include "predictor/end_to_end/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ridge {
namespace {

using nlohmann::json;

std::string cells(const std::optional<ErrorStatistics>& e) {
  if (!e) return fmt::format("{:>5}{:>7}{:>7}", "", "", "");
  return fmt::format("{:>7}{:>8}{:>4.0f}", percent(e->mean), signed_percent(e->bias),
                     100 * e->inside);
}

std::size_t rows(const EndToEndErrors& e) {
  std::size_t n = 0;
  for (const auto* of : {&e.ttft, &e.tpot, &e.total})
    if (*of) n = std::max(n, (*of)->count);
  return n;
}

std::string table(const std::string& by, const std::vector<EndToEndErrors>& groups) {
  std::string text = fmt::format("{:<18}{:>5}", by, "rows");
  for (const char* what : {"TTFT", "TPOT", "total"})
    text += fmt::format("{:>7}{:>8}{:>4}", what, "bias", "in");
  text += "\n";
  for (const EndToEndErrors& e : groups)
    text += fmt::format("{:<18}{:>5}{}{}{}\n", shortened(e.name.empty() ? "-" : e.name, 18),
                        rows(e), cells(e.ttft), cells(e.tpot), cells(e.total));
  return text;
}

json errors_json(const EndToEndErrors& e, const std::string& key) {
  json j{{key, e.name}};
  const auto add = [&](const char* name, const std::optional<ErrorStatistics>& s) {
    if (!s) return;
    j[name] = to_json(*s, "name");
    j[name].erase("name");
  };
  add("ttft", e.ttft), add("tpot", e.tpot), add("total", e.total);
  return j;
}

json estimate_json(const Estimate& e) {
  return {{"predicted_ms", e.value * 1e3}, {"low_ms", e.low * 1e3}, {"high_ms", e.high * 1e3}};
}

}  // namespace

std::string end_to_end_text(const EndToEndSummary& s) {
  std::string text = "Mean |predicted / measured - 1|, bias, and % of rows inside low to high\n\n";
  text += table("", {s.all});
  for (const EndToEndBreakdown& b : s.breakdowns)
    if (b.groups.size() > 1) text += "\n" + table(b.by, b.groups);
  return text;
}

json to_json(const EndToEndValidation& v, const EndToEndSummary& s) {
  json j;
  j["statistics"]["all"] = errors_json(s.all, "name");
  for (const EndToEndBreakdown& b : s.breakdowns)
    for (const EndToEndErrors& e : b.groups) j["statistics"][b.by].push_back(errors_json(e, b.by));
  for (const PredictedRow& p : v.rows) {
    json row{{"line", p.row.line},
             {"source", p.row.source},
             {"gpu", p.row.gpu},
             {"gpus", p.row.parallel.gpus()},
             {"framework", p.row.framework},
             {"model", p.row.model},
             {"batch", p.row.request.batch()}};
    const auto add = [&](const char* name, const Estimate& e, const std::optional<double>& s_) {
      if (e.value <= 0) return;
      row[name] = estimate_json(e);
      if (s_) row[name]["measured_ms"] = *s_ * 1e3;
    };
    add("ttft", p.prediction.ttft_s, p.row.ttft_s);
    add("tpot", p.prediction.tpot_s, p.row.tpot_s);
    add("total", p.prediction.total_s, p.row.total_s);
    j["rows"].push_back(std::move(row));
  }
  for (const RejectedLine& r : v.rejected)
    j["rejected"].push_back({{"line", r.line}, {"reason", r.reason}});
  return j;
}

}  // namespace ridge
