#include "predictor/end_to_end/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "calibrate/text_lines.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

using nlohmann::json;

constexpr std::size_t kName = 18;    // columns of a group's name
constexpr std::size_t kReasons = 8;  // told of rows that are not predicted

// Both ends of a name tell: "RTX-PRO-6000... x2".
std::string name_cell(const std::string& name) {
  if (name.empty()) return "-";
  if (name.size() <= kName) return name;
  const std::size_t end = 3;
  return shortened(name.substr(0, name.size() - end), kName - end) + name.substr(name.size() - end);
}

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
    text += fmt::format("{:<18}{:>5}{}{}{}\n", name_cell(e.name), rows(e), cells(e.ttft),
                        cells(e.tpot), cells(e.total));
  return text;
}

// "512 in, 128 out, batch 4"
std::string request_text(const Request& r) {
  int64_t tokens = 0;
  for (const Prompt& p : r.prompts) tokens += p.count * p.tokens;
  const bool mixed = r.prompts.size() > 1;
  return fmt::format("{}{} in, {} out, batch {}", mixed ? "about " : "",
                     grouped(tokens / r.batch()), grouped(r.output), r.batch());
}

// Three lines: what is off by how much, the times, the request and where it stands.
std::string worst_text(std::size_t rank, const WorstTime& w) {
  const EndToEndRow& r = w.row;
  std::string text = fmt::format("{:>3}. {:>8}  {:<6}", rank, signed_percent(w.error()), w.time);
  text += shortened(fmt::format("{} on {} x{}", r.model, r.gpu, r.parallel.gpus()),
                    kColumns - text.size());
  text += fmt::format("\n     measured {}, predicted {} ({})\n", time_text(w.measured_s),
                      time_text(w.predicted.value),
                      time_range(w.predicted.value, w.predicted.low, w.predicted.high));
  std::string about = request_text(r.request);
  if (!r.framework.empty()) about += ", " + r.framework;
  if (w.fits == false) about += ", does not fit in memory";
  return text + wrapped(fmt::format("{}, line {}", about, r.line), 5);
}

struct Reason {
  std::string kind, text;
  std::vector<std::size_t> lines;
};

// Rows of the same reason together; those of most rows first.
std::vector<Reason> reasons_of(const std::vector<RejectedLine>& rejected) {
  std::vector<Reason> reasons;
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (const RejectedLine& r : rejected) {
    const auto [at, is_new] = place.try_emplace({r.kind, r.reason}, reasons.size());
    if (is_new) reasons.push_back({r.kind, r.reason, {}});
    reasons[at->second].lines.push_back(r.line);
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.lines.size() > b.lines.size(); });
  return reasons;
}

// "lines 3, 4, 5 and 12 more"
std::string lines_text(const std::vector<std::size_t>& lines) {
  constexpr std::size_t kMost = 8;
  const std::size_t shown = std::min(lines.size(), kMost);
  std::string text = fmt::format("line{} {}", lines.size() == 1 ? "" : "s",
                                 fmt::join(std::span(lines).first(shown), ", "));
  if (lines.size() > shown) text += fmt::format(" and {} more", lines.size() - shown);
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

std::string head_text(const EndToEndValidation& v, const std::string& where,
                      const std::string& engine) {
  const auto unfit = std::count_if(v.rows.begin(), v.rows.end(),
                                   [](const PredictedRow& p) { return p.fits == false; });
  std::string text = fmt::format("{} of {}, engine {}\n", counted(v.rows.size(), "row"),
                                 shortened_begin(where, 32), shortened_begin(engine, 20));
  if (unfit > 0)
    text += wrapped(
        fmt::format("{} {} not fit in memory by predict's own count: predicted as if "
                    "there were room, though an engine waits there",
                    counted(static_cast<std::size_t>(unfit), "row"), unfit == 1 ? "does" : "do"),
        0);
  return text + "\n";
}

std::string end_to_end_text(const EndToEndSummary& s) {
  if (rows(s.all) == 0) return {};
  std::string text = "Mean |predicted / measured - 1|, bias, and % of rows inside low to high\n\n";
  text += table("", {s.all});
  for (const EndToEndBreakdown& b : s.breakdowns)
    if (b.groups.size() > 1) text += "\n" + table(b.by, b.groups);
  if (!s.worst.empty()) text += fmt::format("\n{} furthest off\n", counted(s.worst.size(), "row"));
  for (std::size_t i = 0; i < s.worst.size(); ++i) text += worst_text(i + 1, s.worst[i]);
  return text;
}

std::string rejected_text(const EndToEndValidation& v, const std::string& where) {
  if (v.rejected.empty()) return {};
  std::map<std::string, std::size_t> kinds;
  for (const RejectedLine& r : v.rejected) ++kinds[r.kind];
  std::vector<std::string> counts;
  for (const auto& [kind, count] : kinds) counts.push_back(fmt::format("{} {}", kind, count));
  std::string text =
      wrapped(fmt::format("{} of {} not predicted: {}", counted(v.rejected.size(), "row"),
                          shortened_begin(where, 40), fmt::join(counts, ", ")),
              0, 2);
  const std::vector<Reason> reasons = reasons_of(v.rejected);
  const std::size_t shown = std::min(reasons.size(), kReasons);
  for (std::size_t i = 0; i < shown; ++i) {
    const Reason& r = reasons[i];
    text += wrapped(fmt::format("{}: {}", lines_text(r.lines), r.kind), 2, 2);
    text += wrapped(r.text, 4);
  }
  if (reasons.size() > shown)
    text +=
        fmt::format("  and {}; --json lists all\n", counted(reasons.size() - shown, "more reason"));
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
             {"batch", p.row.request.batch()},
             {"fits", p.fits ? json(*p.fits) : json()}};
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
    j["rejected"].push_back({{"line", r.line}, {"kind", r.kind}, {"reason", r.reason}});
  return j;
}

}  // namespace ridge
