#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/core/json_file.h"
#include "kernels/core/run_main.h"
#include "programs/cli.h"
#include "programs/simulate_options.h"
#include "programs/simulate_search.h"
#include "programs/simulate_validate.h"
#include "programs/work_progress.h"
#include "simulator/outputs/band.h"
#include "simulator/outputs/report.h"

namespace ridge {
namespace {

struct Options {
  ScenarioOptions scenario;
  std::string out, requests, series, trace;
  bool json = false, quiet = false, band = false;
};

// Requests that are known to come, else the seconds that they come in.
double total_of(const sim::Scenario& s) {
  if (s.workload.requests > 0) return static_cast<double>(s.workload.requests);
  if (!s.workload.trace.empty()) return static_cast<double>(s.workload.trace.size());
  return s.workload.duration_s;
}

std::string told(const Options& o, const sim::Scenario& s, const sim::Summary& r) {
  std::optional<sim::Band> band;
  if (o.band) band = band_of(s, r);
  if (!o.json) return summary_text(s, r) + (band ? "\n" + band_text(r, *band) : "");
  nlohmann::json j = summary_json(s, r);
  if (band) j["band"] = band_json(*band);
  return j.dump(1) + "\n";
}

int run(const Options& o) {
  for (const std::string& file : {o.out, o.requests, o.series, o.trace})
    if (!file.empty()) check_writable(file);
  sim::Scenario s = o.scenario.scenario();
  s.cluster.replica.record_spans = !o.trace.empty();
  if (s.cluster.disaggregation) s.cluster.disaggregation->prefill.record_spans = !o.trace.empty();
  const double total = total_of(s);
  sim::Watch on_progress;
  WorkProgress bar("simulate", total);
  const bool by_time = s.workload.requests == 0 && s.workload.trace.empty();
  if (!o.quiet)
    on_progress = [&](int64_t finished, double time_s) {
      bar.update(by_time ? time_s : static_cast<double>(finished));
      return true;
    };
  const sim::Outcome outcome = simulate(s, on_progress);
  const sim::Summary r = summarize(outcome, s.summary_options());
  const std::string text = told(o, s, r);
  if (!o.requests.empty()) write_file(o.requests, requests_csv(outcome));
  if (!o.series.empty()) write_file(o.series, series_csv(outcome));
  if (!o.trace.empty()) write_file(o.trace, chrome_trace(outcome).dump());
  if (o.out.empty())
    fmt::print("{}", text);
  else
    write_file(o.out, text);
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  return 0;
}

int simulate_main(int argc, char** argv) {
  CLI::App app(
      "Simulates LLM serving, request by request, with step times from delay-factor tables:\n"
      "  simulate --config serving.json\n"
      "  simulate --model llama-3.1-8b --gpu l40s --rate 4 --requests 1000\n"
      "or, with a subcommand, searches over such runs.");
  app.require_subcommand(0, 1);
  Options o;
  std::map<std::string, std::function<int()>> commands = add_search_commands(app);
  commands["validate"] = add_simulate_validate(app);
  add_scenario_options(app, o.scenario);
  app.add_flag("--json", o.json, "As JSON");
  app.add_flag("--band", o.band, "And with steps as fast and as slow as their error allows");
  app.add_flag("--quiet", o.quiet, "No progress bar");
  app.add_option("--out", o.out, "Where the summary goes (standard output without it)");
  app.add_option("--requests-csv", o.requests, "Where a line for each request goes");
  app.add_option("--series-csv", o.series, "Where queue, running and cache over time go");
  app.add_option("--trace", o.trace, "Where the schedule goes, as Chrome's trace events");
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  for (const auto& [name, command] : commands)
    if (app.got_subcommand(name)) return command();
  return run(o);
}

}  // namespace
}  // namespace ridge

int main(int argc, char** argv) {
  return ridge::run_main([&] { return ridge::simulate_main(argc, argv); });
}
