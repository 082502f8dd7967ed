#include "predictor/request/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "predictor/error_statistics.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

using nlohmann::json;

std::string or_dash(const std::optional<double>& value) { return value ? number(*value) : "-"; }

// What stands in place of numbers.
std::string reason(const ComparedRow& r) {
  if (!r.problem.empty()) return r.problem;
  return fmt::format("does not fit: {} GB of {} a GPU{}", gb(r.memory.total()), gb(r.memory.usable),
                     r.gpus_needed > 0 ? fmt::format(", needs {} GPUs", r.gpus_needed) : "");
}

bool beyond(const ComparedRow& r) { return r.prediction && !r.within_limits; }

std::string row_text(const ComparedRow& r) {
  std::string text = fmt::format("{:<15}{}{:>3}{:>7}", shortened(r.target.name, 15),
                                 beyond(r) ? '*' : ' ', r.tensor, r.batch);
  if (!r.prediction) return text + "  " + shortened(reason(r), kColumns - text.size() - 2) + "\n";
  const RequestPrediction& p = *r.prediction;
  text += fmt::format("{:>9}{:>9}{:>9}{:>9}", number(p.ttft_s.value * 1e3),
                      number(p.tpot_s.value * 1e3), number(p.total_s.value),
                      number(p.output_tokens_per_s));
  if (r.usd_per_million_output)
    text += fmt::format("{:>9}{:>9}", or_dash(r.usd_per_million_output),
                        or_dash(r.usd_per_million_tokens));
  return text + "\n";
}

std::string weights_text(const Precision& p) {
  switch (p.weights) {
    case WeightFormat::kNative:
      return "";
    case WeightFormat::kFp8:
      return ", fp8 weights";
    case WeightFormat::kInt8:
      return ", int8 weights";
    case WeightFormat::kInt4:
      return ", int4 weights";
  }
  return "";
}

// In what rows run whose GPU does not take their model's dtype.
std::string dtype_note(const Comparison& c, const ComparedRow& r) {
  for (const Model& m : c.models)
    if (m.name == r.model && !c.dtype && m.dtype != r.precision.dtype)
      return fmt::format("{}: runs in {}, as it has no {}", r.target.gpu, name(r.precision.dtype),
                         name(m.dtype));
  return "";
}

// Operators whose times are no measurements of the row's GPU.
std::string bases_text(const std::vector<ComparedRow>& rows) {
  std::map<std::pair<std::string, Basis>, std::set<std::string>> ops;
  for (const ComparedRow& r : rows) {
    if (!r.prediction) continue;
    for (const Phase* phase : {&r.prediction->prefill, &r.prediction->decode})
      for (const RoleTime& role : phase->roles)
        if (role.basis == Basis::kRoofline || role.basis == Basis::kTransferred)
          ops[{r.target.gpu, role.basis}].insert(role.op);
  }
  std::string text;
  for (const auto& [key, names] : ops)
    text +=
        paragraph(fmt::format("{}: {}: {}", key.first,
                              key.second == Basis::kRoofline ? "roofline estimates, not measured"
                                                             : "measured on other GPUs only",
                              fmt::join(names, ", ")));
  return text;
}

std::string footer(const Comparison& c, const std::vector<ComparedRow>& rows) {
  const auto any = [&](auto holds) { return std::any_of(rows.begin(), rows.end(), holds); };
  std::string text = paragraph("TP: GPUs that share the model; tok/s: output of one such group");
  if (any(beyond)) {
    text += "*";
    if (c.limits.ttft_s > 0) text += fmt::format(" TTFT above {:.4g} ms", c.limits.ttft_s * 1e3);
    if (c.limits.ttft_s > 0 && c.limits.tpot_s > 0) text += ", or";
    if (c.limits.tpot_s > 0) text += fmt::format(" TPOT above {:.4g} ms", c.limits.tpot_s * 1e3);
    text += "\n";
  }
  if (any([](const ComparedRow& r) { return r.usd_per_hour.has_value(); }))
    text += paragraph(
        "$/M out, $/M: USD per million output tokens, and per million of input and output; an "
        "instance runs as many groups as it has GPUs for, all the time");
  std::set<std::string> said;
  for (const ComparedRow& r : rows) {
    if (const std::string note = dtype_note(c, r); said.insert(note).second)
      text += paragraph(note);
    if (!r.problem.empty() && said.insert(r.target.name + r.problem).second)
      text += paragraph(fmt::format("{}, {}: {}", r.target.name, r.model, r.problem));
  }
  return text + bases_text(rows);
}

json to_json(const Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

json or_null(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json row_json(const ComparedRow& r) {
  json j{{"target", r.target.name},
         {"gpu", r.target.gpu},
         {"instance", r.target.instance.has_value()},
         {"model", r.model},
         {"dtype", name(r.precision.dtype)},
         {"batch", r.batch},
         {"tensor", r.tensor},
         {"replicas", r.replicas},
         {"fits", r.fits()},
         {"memory_bytes", r.memory.total()},
         {"usable_bytes", r.memory.usable},
         {"gpus_needed", r.fits() ? r.tensor : r.gpus_needed},
         {"max_batch", r.memory.max_batch},
         {"max_context", r.memory.max_context},
         {"within_limits", r.within_limits},
         {"problem", r.problem},
         {"usd_per_hour", or_null(r.usd_per_hour)},
         {"usd_per_million_output", or_null(r.usd_per_million_output)},
         {"usd_per_million_tokens", or_null(r.usd_per_million_tokens)}};
  if (!r.prediction) return j;
  const RequestPrediction& p = *r.prediction;
  j["ttft_s"] = to_json(p.ttft_s);
  j["tpot_s"] = to_json(p.tpot_s);
  j["total_s"] = to_json(p.total_s);
  j["output_tokens_per_s"] = p.output_tokens_per_s;
  j["notes"] = p.notes;
  return j;
}

std::string cell(double value) { return fmt::format("{:.6g}", value); }
std::string cell(const std::optional<double>& value) { return value ? cell(*value) : ""; }

}  // namespace

std::string compare_text(const Comparison& c, const std::vector<ComparedRow>& rows) {
  std::string text, model;
  std::set<std::string> said;  // of the model
  for (const ComparedRow& r : rows) {
    if (r.model != model) {
      model = r.model, said.clear();
      const bool prices = std::any_of(rows.begin(), rows.end(), [&](const ComparedRow& o) {
        return o.model == model && o.usd_per_million_output;
      });
      text += fmt::format("{}: {} tokens in, {} out, {}{}\n", shortened(model, 30), c.input,
                          c.output, shortened(c.engine.name, 12), weights_text(c.precision));
      text += fmt::format("{:<16}{:>3}{:>7}{:>9}{:>9}{:>9}{:>9}", "", "TP", "batch", "TTFT ms",
                          "TPOT ms", "total s", "tok/s");
      text += prices ? fmt::format("{:>9}{:>9}\n", "$/M out", "$/M") : "\n";
    }
    // The best batch may be one that is asked for as well, or, where none fits, the first.
    if (const std::string line = row_text(r); said.insert(line).second) text += line;
    if (&r == &rows.back() || (&r + 1)->model != model) text += "\n";
  }
  return text + footer(c, rows);
}

json to_json(const Comparison& c, const std::vector<ComparedRow>& rows) {
  json j{
      {"input", c.input}, {"output", c.output}, {"engine", c.engine.name}, {"rows", json::array()}};
  for (const ComparedRow& r : rows) j["rows"].push_back(row_json(r));
  return j;
}

std::string compare_csv(const Comparison& c, const std::vector<ComparedRow>& rows) {
  std::string text = csv_line({"target",
                               "gpu",
                               "model",
                               "dtype",
                               "input_tokens",
                               "output_tokens",
                               "batch",
                               "tensor",
                               "replicas",
                               "fits",
                               "memory_bytes",
                               "usable_bytes",
                               "gpus_needed",
                               "within_limits",
                               "ttft_ms",
                               "ttft_ms_low",
                               "ttft_ms_high",
                               "tpot_ms",
                               "tpot_ms_low",
                               "tpot_ms_high",
                               "total_ms",
                               "total_ms_low",
                               "total_ms_high",
                               "output_tokens_per_s",
                               "usd_per_hour",
                               "usd_per_million_output",
                               "usd_per_million_tokens",
                               "problem"});
  for (const ComparedRow& r : rows) {
    const auto whole = [](int64_t n) { return std::to_string(n); };
    const auto yes = [](bool b) { return std::string(b ? "1" : "0"); };
    std::vector<std::string> cells{r.target.name,
                                   r.target.gpu,
                                   r.model,
                                   std::string(name(r.precision.dtype)),
                                   whole(c.input),
                                   whole(c.output),
                                   whole(r.batch),
                                   whole(r.tensor),
                                   whole(r.replicas),
                                   yes(r.fits()),
                                   fmt::format("{:.0f}", r.memory.total()),
                                   fmt::format("{:.0f}", r.memory.usable),
                                   whole(r.fits() ? r.tensor : r.gpus_needed),
                                   yes(r.within_limits)};
    for (const auto& part :
         {&RequestPrediction::ttft_s, &RequestPrediction::tpot_s, &RequestPrediction::total_s})
      for (const auto& end : {&Estimate::value, &Estimate::low, &Estimate::high})
        cells.push_back(r.prediction ? cell((*r.prediction).*part.*end * 1e3) : "");
    cells.push_back(r.prediction ? cell(r.prediction->output_tokens_per_s) : "");
    for (const auto& usd : {r.usd_per_hour, r.usd_per_million_output, r.usd_per_million_tokens})
      cells.push_back(cell(usd));
    cells.push_back(r.problem);
    text += csv_line(cells);
  }
  return text;
}

}  // namespace ridge
