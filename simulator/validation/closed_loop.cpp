#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "simulator/validation/validation.h"

namespace ridge::sim {
namespace {

bool asked(const EndToEndRow& r, const ClosedLoopOptions& o) {
  const auto& f = o.frameworks;
  return !r.notes.contains("suspect") && r.tpot_s && (o.dtype.empty() || r.dtype == o.dtype) &&
         (f.empty() || std::find(f.begin(), f.end(), r.framework) != f.end());
}

std::string engine_of(const EndToEndRow& r, const ClosedLoopOptions& o) {
  if (o.engine != "auto") return o.engine;
  try {
    return find_engine(r.framework + "-serving").name;
  } catch (const BadInput&) {
    return find_engine(r.framework).name;
  }
}

nlohmann::json config_of(const EndToEndRow& r, const ClosedLoopOptions& o) {
  const int64_t clients = r.request.batch();
  nlohmann::json j{
      {"model", r.model},
      {"gpu", r.gpu},
      {"engine", engine_of(r, o)},
      {"parallel", {{"tensor", r.parallel.tensor}, {"pipeline", r.parallel.pipeline}}},
      {"scheduler",
       {{"max_sequences", std::max<int64_t>(256, clients)}, {"token_budget", kValidationBudget}}},
      {"workload",
       {{"arrivals", {{"kind", "closed_loop"}, {"concurrency", clients}}},
        {"input", {{"tokens", r.request.prompts.at(0).tokens}}},
        {"output", {{"tokens", r.request.output}}},
        {"requests", clients * kRequestsPerClient}}}};
  if (r.dtype == "fp8") j["weights"] = "fp8";
  return j;
}

struct Errors {
  std::vector<double> tpot, ttft;
};

double mean_size(const std::vector<double>& errors) {
  double sum = 0;
  for (const double e : errors) sum += std::abs(e);
  return errors.empty() ? 0 : sum / static_cast<double>(errors.size());
}

double mean(const std::vector<double>& errors) {
  double sum = 0;
  for (const double e : errors) sum += e;
  return errors.empty() ? 0 : sum / static_cast<double>(errors.size());
}

std::string line(const std::string& what, const Errors& g) {
  return fmt::format("{:<34}{:>5}{:>10.1f} %{:>+8.1f} %{:>10.1f} %\n", what, g.tpot.size(),
                     100 * mean_size(g.tpot), 100 * mean(g.tpot), 100 * mean_size(g.ttft));
}

}  // namespace

double ClosedLoopRow::tpot_error() const { return summary.tpot_s.mean / *row.tpot_s - 1; }

std::optional<double> ClosedLoopRow::ttft_error() const {
  if (!row.ttft_s) return std::nullopt;
  return summary.ttft_s.mean / *row.ttft_s - 1;
}

ClosedLoopValidation validate_closed_loop(const EndToEndCsv& measured, const ClosedLoopOptions& o) {
  ClosedLoopValidation v{.rejected = measured.rejected};
  TableCache cache;
  for (const EndToEndRow& r : measured.rows) {
    if (!asked(r, o)) {
      ++v.left_out;
      continue;
    }
    try {
      const Scenario s = scenario_from_json(config_of(r, o), "row", ".", &cache);
      v.rows.push_back({r, summarize(simulate(s), s.summary_options())});
    } catch (const BadInput& e) {
      v.rejected.push_back({r.line, "cannot be simulated", e.what()});
    }
  }
  return v;
}

std::string text(const ClosedLoopValidation& v) {
  std::map<std::string, Errors> groups;
  Errors all;
  for (const ClosedLoopRow& r : v.rows) {
    Errors& g = groups[fmt::format("{} {} {} x {}", r.row.framework, r.row.model,
                                   r.row.parallel.tensor * r.row.parallel.pipeline, r.row.gpu)];
    for (Errors* to : {&g, &all}) {
      to->tpot.push_back(r.tpot_error());
      if (const auto e = r.ttft_error()) to->ttft.push_back(*e);
    }
  }
  std::string text = fmt::format("{:<34}{:>5}{:>12}{:>10}{:>12}\n", "|simulated / measured - 1|",
                                 "rows", "mean TPOT", "bias", "mean TTFT");
  for (const auto& [name, g] : groups) text += line(name, g);
  text += line("all", all);
  if (v.left_out > 0)
    text += fmt::format("{} rows were not asked for, or are suspect\n", v.left_out);
  for (const RejectedLine& r : v.rejected)
    text += fmt::format("line {} cannot be simulated: {}\n", r.line, r.reason);
  return text;
}

}  // namespace ridge::sim
