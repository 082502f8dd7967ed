#include "programs/simulate_search.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/core/json_file.h"
#include "predictor/request/text.h"
#include "programs/simulate_options.h"
#include "programs/work_progress.h"
#include "simulator/outputs/report.h"
#include "simulator/search/capacity.h"
#include "simulator/search/sweep.h"

namespace ridge {
namespace {

struct Options {
  ScenarioOptions scenario;
  double quantile = 0.95, precision = 0.02;
  int64_t most = 1024;
  std::vector<std::string> vary;
  std::string out;
  int threads = 0;
  bool json = false;
};

int flushed() {
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  return 0;
}

std::string quantile_text(const sim::Distribution& d) {
  return d.count > 0 ? time_text(d.p95) : "-";
}

std::string line(const std::string& first, const sim::Summary& r, bool keeps) {
  return fmt::format("{:>12}{:>12}{:>12}{:>14}{:>8.0f} %  {}\n", first, quantile_text(r.ttft_s),
                     quantile_text(r.tpot_s), number(r.output_tokens_per_s), 100 * r.busy,
                     keeps                             ? "kept"
                     : r.load == sim::Load::kSaturated ? "saturated"
                                                       : "not kept");
}

std::string header(const char* first) {
  return fmt::format("{:>12}{:>12}{:>12}{:>14}{:>10}\n", first, "TTFT p95", "TPOT p95",
                     "tokens/s out", "busy");
}

std::string goal_text(const sim::ServiceLimits& l, double quantile) {
  std::string text;
  if (l.ttft_s > 0) text += fmt::format(", TTFT up to {}", time_text(l.ttft_s));
  if (l.tpot_s > 0) text += fmt::format(", TPOT up to {}", time_text(l.tpot_s));
  return fmt::format("p{:.4g}{}", 100 * quantile, text.empty() ? ": no limits" : text);
}

int capacity(const Options& o) {
  const sim::Scenario s = o.scenario.scenario();
  const sim::CapacityGoal goal{.limits = s.limits, .quantile = o.quantile};
  if (!o.json) fmt::print("{}", header("requests/s"));
  const sim::Capacity c = find_capacity(s, goal, o.precision, [&](const sim::CapacityPoint& p) {
    if (!o.json) fmt::print("{}", line(number(p.rate_per_s), p.summary, p.keeps));
    std::fflush(stdout);
  });
  if (o.json) {
    nlohmann::json points = nlohmann::json::array();
    for (const sim::CapacityPoint& p : c.points)
      points.push_back({{"rate_per_s", p.rate_per_s},
                        {"keeps", p.keeps},
                        {"summary", summary_json(s, p.summary)}});
    fmt::print(
        "{}\n",
        nlohmann::json{{"rate_per_s", c.rate_per_s}, {"gpus", s.gpus()}, {"points", points}}.dump(
            1));
  } else {
    fmt::print("\n{}",
               paragraph(fmt::format("{} x {} serves {} requests/s of {} ({})", s.gpus(), s.gpu,
                                     c.rate_per_s > 0 ? number(c.rate_per_s) : "no",
                                     s.deployment.model.name, goal_text(s.limits, o.quantile))));
    for (const std::string& n : s.notes) fmt::print("{}", paragraph("note: " + n));
  }
  return flushed();
}

int find_batch(const Options& o) {
  const sim::Scenario s = o.scenario.scenario();
  const sim::BestBatch b = find_batch(s, {.limits = s.limits, .quantile = o.quantile}, o.most);
  if (o.json) {
    nlohmann::json choices = nlohmann::json::array();
    for (const sim::BatchChoice& c : b.choices)
      choices.push_back({{"max_sequences", c.max_sequences},
                         {"keeps", c.keeps},
                         {"summary", summary_json(s, c.summary)}});
    fmt::print("{}\n",
               nlohmann::json{{"max_sequences", b.max_sequences}, {"choices", choices}}.dump(1));
    return flushed();
  }
  fmt::print("{}", header("sequences"));
  for (const sim::BatchChoice& c : b.choices)
    fmt::print("{}", line(std::to_string(c.max_sequences), c.summary, c.keeps));
  fmt::print("\n{}", paragraph(b.max_sequences > 0
                                   ? fmt::format("most tokens/s with {} ({})", b.max_sequences,
                                                 goal_text(s.limits, o.quantile))
                                   : "none keeps up within " + goal_text(s.limits, o.quantile)));
  return flushed();
}

std::string values_text(const nlohmann::json& point) {
  std::string text;
  for (const auto& [key, value] : point.items())
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key.substr(key.rfind('.') + 1),
                        value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

int sweep(const Options& o) {
  sim::SweepJob job{.base = o.scenario.json(), .out = o.out, .threads = o.threads};
  const std::string folder = std::filesystem::path(o.scenario.config).parent_path().string();
  if (!folder.empty()) job.folder = folder;
  for (const std::string& text : o.vary) job.axes.push_back(sim::parse_axis(text));
  {
    std::unique_ptr<WorkProgress> bar;
    sim::sweep(job, [&](std::size_t done, std::size_t all) {
      if (!bar) bar = std::make_unique<WorkProgress>("sweep", static_cast<double>(all));
      bar->update(static_cast<double>(done));
    });
  }
  fmt::print("{:>14}{:>12}{:>12}  {}\n", "tokens/s GPU", "TPOT p50", "TTFT p95", "not beaten");
  for (const nlohmann::json& j : sim::pareto(o.out)) {
    const nlohmann::json& r = j["summary"];
    fmt::print("{:>14}{:>12}{:>12}  {}\n", number(r["output_tokens_per_s_gpu"].get<double>()),
               time_text(r["tpot_s"]["p50"].get<double>()),
               time_text(r["ttft_s"]["p95"].get<double>()), values_text(j["point"]));
  }
  fmt::print("all points: {}\n", o.out);
  return flushed();
}

}  // namespace

std::map<std::string, std::function<int()>> add_search_commands(CLI::App& app) {
  std::map<std::string, std::function<int()>> commands;
  const auto add = [&](const char* name, const char* what, int (*run)(const Options&)) {
    const auto o = std::make_shared<Options>();
    CLI::App* sub = app.add_subcommand(name, what);
    add_scenario_options(*sub, o->scenario);
    commands[name] = [o, run] { return run(*o); };
    return std::pair(sub, o);
  };
  const auto [c, co] = add("capacity", "The largest request rate within limits", &capacity);
  c->add_option("--quantile", co->quantile, "Of the requests that must keep each limit: 0.95");
  c->add_option("--precision", co->precision, "Of the rate: 0.02");
  c->add_flag("--json", co->json, "As JSON");
  const auto [b, bo] = add("find-batch", "The max_sequences of most tokens/s", &find_batch);
  b->add_option("--quantile", bo->quantile, "Of the requests that must keep each limit: 0.95");
  b->add_option("--most", bo->most, "The largest that is tried: 1024");
  b->add_flag("--json", bo->json, "As JSON");
  const auto [w, wo] = add("sweep", "A grid over any keys of the config", &sweep);
  w->add_option("--vary", wo->vary, "gpu=l40s,h100; may be repeated")->required();
  w->add_option("--out", wo->out, "JSON lines, one a point; there already: go on")->required();
  w->add_option("--threads", wo->threads, "All cores");
  return commands;
}

}  // namespace ridge
