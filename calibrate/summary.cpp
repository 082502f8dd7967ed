#include "calibrate/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "calibrate/text_lines.h"
#include "roofline/report.h"

namespace ridge {
namespace {

constexpr double kSuspicious = 0.97;  // delay factors below it: the ceiling is too low

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// How much each anchor's repeats moved through the run.
std::string drift_part(const std::vector<Measurement>& measurements) {
  std::map<std::string, std::vector<double>> repeats;
  for (const Measurement& m : measurements)
    if (m.anchor && m.status == Status::kOk)
      repeats[to_string(m.call)].push_back(summarize(m.samples_s).median_s);
  std::string text;
  for (const auto& [call, medians] : repeats) {
    if (medians.size() < 2) continue;
    const auto [low, high] = std::minmax_element(medians.begin(), medians.end());
    text += fmt::format("  {:<38.38} {:>3}x {:+.0f} % last to first, {:.0f} % range\n", call,
                        medians.size(), 100 * (medians.back() / medians.front() - 1),
                        100 * (*high / *low - 1));
  }
  return text.empty() ? "" : "drift of the anchors\n" + text;
}

std::string troubles_part(const CalibrationResult& result, const DelayTable& table) {
  std::size_t throttled = 0, interfered = 0, loose = 0, ok = 0;
  std::map<std::string, std::pair<int, std::string>> failed;  // reason -> count, example
  for (const Measurement& m : result.measurements) {
    for (const std::string& label : m.labels) {
      throttled += label.rfind("throttled", 0) == 0;
      interfered += label.rfind("interfered", 0) == 0;
    }
    if (m.status == Status::kOk) {
      ++ok;
      loose += !m.converged;
      continue;
    }
    const char* kind = m.status == Status::kWrong ? "WRONG RESULT" : "skipped";
    auto& [count, example] = failed[fmt::format("{} {}: {}", kind, m.call.op, m.reason)];
    if (count++ == 0) example = to_string(m.call);
  }
  std::string text = fmt::format(
      "{} calls measured; {} with interfered samples, {} throttled,\n"
      "{} stopped by their time share before their median was known to 1 %\n",
      ok, interfered, throttled, loose);
  for (const auto& [reason, where] : failed)
    text += fmt::format("{} ({} calls, e.g. {})\n", reason, where.first, where.second);
  std::vector<std::string> suspects;
  for (const Sample& s : table.samples)
    if (s.delay_factor < kSuspicious)
      suspects.push_back(
          fmt::format("  {:<56.56} {:.3f} ({})", to_string(s.call), s.delay_factor, name(s.bound)));
  if (!suspects.empty()) {
    constexpr std::size_t kShown = 10;
    text += fmt::format("{} delay factors below {}: suspected ceiling errors, kept as measured\n",
                        suspects.size(), kSuspicious);
    for (std::size_t i = 0; i < std::min(kShown, suspects.size()); ++i) text += suspects[i] + "\n";
    if (suspects.size() > kShown) text += "  … all of them are in the table's samples\n";
  }
  return text;
}

// "not on this device: f16: gemm bmm … | bf16: …": one wrapped line a dtype.
std::string not_here_part(const NotHere& not_here) {
  std::map<std::string, std::vector<std::string>> by_dtype;
  for (const auto& [op, dtypes] : not_here)
    for (const auto& [dtype, why] : dtypes) by_dtype[dtype].push_back(op);
  std::string text;
  for (const auto& [dtype, ops] : by_dtype) {
    std::string line = fmt::format("not on this device in {}:", dtype);
    for (const std::string& op : ops) {
      if (line.size() + op.size() + 1 > 80) {
        text += line + "\n";
        line = " ";
      }
      line += " " + op;
    }
    text += line + "\n";
  }
  return text;
}

// What cross-validation expects of shapes that were not measured, each curve counting once.
std::string expected_error(const DelayTable& table) {
  double sum = 0;
  std::size_t told = 0;
  const Curve* worst = nullptr;
  for (const Curve& c : table.curves) {
    if (c.count < 2) continue;
    sum += c.cv_mean_error;
    ++told;
    if (!worst || c.cv_mean_error > worst->cv_mean_error) worst = &c;
  }
  if (!worst) return "expected error: unknown, no operator was measured at two shapes\n";
  return fmt::format("expected error: {:.1f} % on average, {:.1f} % for {:.36}\n",
                     100 * sum / static_cast<double>(told), 100 * worst->cv_mean_error,
                     fmt::format("{} {} {}", worst->op, name(worst->dtype), worst->implementation));
}

}  // namespace

std::string operators_text(const DelayTable& table) {
  std::map<std::tuple<std::string, Dtype, std::string>, std::vector<const Sample*>> groups;
  for (const Sample& s : table.samples)
    groups[{s.call.op, s.call.dtype, s.call.implementation}].push_back(&s);
  std::map<std::tuple<std::string, Dtype, std::string>, const Curve*> curves;
  for (const Curve& c : table.curves) curves[{c.op, c.dtype, c.implementation}] = &c;

  std::string text =
      fmt::format("{:<32} {:>5} {:>7} {:>7} {:>8} {:>7} {:>7}\n", "operator (delay factors)",
                  "calls", "min", "median", "max", "spread", "cv err");
  for (const auto& [key, samples] : groups) {
    std::vector<double> delays;
    double spread = 0;
    for (const Sample* s : samples) {
      delays.push_back(s->delay_factor);
      spread = std::max(spread, (s->p90_s - s->p10_s) / s->median_s);
    }
    const auto [low, high] = std::minmax_element(delays.begin(), delays.end());
    const auto curve = curves.find(key);
    text += fmt::format(
        "{:<32.32} {:>5} {:>7.2f} {:>7.2f} {:>8.2f} {:>7} {:>7}\n",
        fmt::format("{} {} {}", std::get<0>(key), name(std::get<1>(key)), std::get<2>(key)),
        delays.size(), *low, median(delays), *high, fmt::format("{:.0f} %", 100 * spread),
        curve == curves.end() || curve->second->count < 2
            ? "-"  // one call says nothing of others
            : fmt::format("{:.1f} %", 100 * curve->second->cv_median_error));
  }
  return text + expected_error(table);
}

std::string summary(const CalibrationResult& result, const DelayTable& table) {
  std::string text = fmt::format("\n{} · {:.0f} s\n\n", table.device.name, result.spent_s);
  text += ceilings_text(result.ceilings, Length::kShort) + "\n" + operators_text(table) + "\n";
  text += troubles_part(result, table) + drift_part(result.measurements);
  text += not_here_part(result.not_here);
  std::set<std::string> said;
  for (const auto* notes : {&result.notices, &table.notes})
    for (const std::string& note : *notes)
      if (said.insert(note).second) text += notes_text({note});
  return text;
}

}  // namespace ridge
