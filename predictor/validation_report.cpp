#include "predictor/validation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calibrate/text_lines.h"
#include "kernels/core/call_json.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

constexpr std::size_t kShown = 10;    // rejected rows
constexpr std::size_t kColumns = 80;  // of a terminal

// "12.3 us": three or four digits, in the unit that suits.
std::string time_text(double seconds) {
  for (const auto& [unit, name] : {std::pair{1.0, "s"}, {1e-3, "ms"}})
    if (seconds >= unit) return fmt::format("{:.4g} {}", seconds / unit, name);
  return fmt::format("{:.4g} us", seconds * 1e6);
}

std::string row_text(std::size_t rank, const ValidatedRow& r) {
  const Prediction& p = r.prediction;
  const std::string place = fmt::format("{}:{}", r.file, r.line);
  std::string text = fmt::format("{:>3}. {:>8}  ", rank, signed_percent(r.error()));
  text += shortened(to_string(r.call), kColumns - text.size()) + "\n";
  text += fmt::format("     measured {}, predicted {} ({} to {}), {}\n", time_text(r.measured_s),
                      time_text(p.seconds), time_text(p.low_s), time_text(p.high_s), name(p.basis));
  const std::string gpu = shortened(r.gpu, 24);
  return text +
         fmt::format("     {}, {}\n", gpu, shortened_begin(place, kColumns - 7 - gpu.size()));
}

json row_json(const ValidatedRow& r) {
  const Prediction& p = r.prediction;
  return {{"file", r.file},
          {"line", r.line},
          {"gpu", r.gpu},
          {"call", call_to_json(r.call)},
          {"measured_s", r.measured_s},
          {"predicted_s", p.seconds},
          {"low_s", p.low_s},
          {"high_s", p.high_s},
          {"error", r.error()},
          {"bound", name(p.bound)},
          {"basis", name(p.basis)}};
}

json list_of(const std::vector<ErrorStatistics>& groups, const std::string& key) {
  json list = json::array();
  for (const ErrorStatistics& e : groups) list.push_back(to_json(e, key));
  return list;
}

}  // namespace

std::string validation_text(const ValidationSummary& s) {
  if (s.all.empty()) return {};
  std::string text = error_table("|predicted / measured - 1|", s.all);
  const std::size_t rows = s.all[0].count;
  if (s.in_table == rows)
    return text + "every row is a sample of its table (basis measured): nothing was tested\n";
  if (s.in_table > 0)
    text += fmt::format(
        "{} rows are samples of their table (basis measured) and test nothing;\n"
        "below are the other {}\n",
        s.in_table, rows - s.in_table);
  for (const Breakdown& b : s.breakdowns) text += "\n" + error_table("by " + b.by, b.groups);
  text += fmt::format("\nthe {} worst\n", s.worst.size());
  for (std::size_t i = 0; i < s.worst.size(); ++i) text += row_text(i + 1, s.worst[i]);
  return text;
}

std::string rejected_text(const std::vector<RejectedRow>& rejected) {
  if (rejected.empty()) return {};
  std::string text =
      fmt::format("{} row{} not predicted\n", rejected.size(), rejected.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(rejected.size(), kShown); ++i)
    text += "  " + shortened_begin(rejected[i].place, kColumns - 2) + "\n" +
            wrapped(shortened(rejected[i].reason, 2 * (kColumns - 4)), 4);
  if (rejected.size() > kShown) text += fmt::format("  and {} more\n", rejected.size() - kShown);
  return text;
}

json to_json(const Validation& v, const ValidationSummary& s) {
  json j{{"rows", v.rows.size()},
         {"in_table", s.in_table},
         {"rejected", v.rejected.size()},
         {"all", list_of(s.all, "rows_of")}};
  for (const Breakdown& b : s.breakdowns) j["by"][b.by] = list_of(b.groups, "name");
  j["worst"] = json::array();
  for (const ValidatedRow& r : s.worst) j["worst"].push_back(row_json(r));
  j["first_rejected"] = json::array();
  for (std::size_t i = 0; i < std::min(v.rejected.size(), kShown); ++i)
    j["first_rejected"].push_back(
        {{"place", v.rejected[i].place}, {"reason", v.rejected[i].reason}});
  return j;
}

std::string predictions_csv(const Validation& v) {
  std::vector<std::string> axes;
  for (const ValidatedRow& r : v.rows)
    for (const Axis& axis : find_operator(r.call.op).axes)
      if (std::find(axes.begin(), axes.end(), axis.name) == axes.end()) axes.push_back(axis.name);
  std::vector<std::string> header{"file", "line", "gpu", "op", "dtype", "implementation"};
  header.insert(header.end(), axes.begin(), axes.end());
  for (const char* column : {"latency_us", "predicted_us", "low_us", "high_us", "bound", "basis"})
    header.emplace_back(column);
  std::string text = csv_line(header);
  for (const ValidatedRow& r : v.rows) {
    std::vector<std::string> cells{
        r.file,    std::to_string(r.line),          r.gpu,
        r.call.op, std::string(name(r.call.dtype)), r.call.implementation};
    const OpSpec& spec = find_operator(r.call.op);
    for (const std::string& axis : axes) {
      const bool has = std::any_of(spec.axes.begin(), spec.axes.end(),
                                   [&](const Axis& a) { return a.name == axis; });
      cells.push_back(has ? std::to_string(dim(spec, r.call, axis)) : "");
    }
    const Prediction& p = r.prediction;
    for (const double s : {r.measured_s, p.seconds, p.low_s, p.high_s})
      cells.push_back(fmt::format("{:.6g}", s * 1e6));
    cells.emplace_back(name(p.bound));
    cells.emplace_back(name(p.basis));
    text += csv_line(cells);
  }
  return text;
}

}  // namespace ridge
