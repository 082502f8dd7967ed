// predict fit-engine: what an engine adds to its kernels, from measured rows.
#include "programs/predict_fit_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "calibrate/text_lines.h"
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/end_to_end/fit_engine.h"
#include "predictor/error_statistics.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string csv, out, framework, base, workloads;
  std::vector<std::string> tables;
};

// What a fit leaves of nothing reads 0.
std::string cell(double value) {
  return value < 5e-4    ? "0"
         : value < 999.5 ? fmt::format("{:.3g}", value)
                         : fmt::format("{:.0f}", value);
}

std::string times_text(const std::string& gpu, const EngineTimes& t) {
  return fmt::format("{:<20}{:>9}{:>9}{:>9}{:>9}{:>9}{:>7}{:>8}\n", shortened(gpu, 20),
                     cell(t.prefill.per_step_s * 1e3), cell(t.per_request_s * 1e3),
                     cell(t.decode.per_step_s * 1e3), cell(t.tensor_step_s * 1e3),
                     cell(t.decode.per_sequence_s * 1e3), cell(t.decode_floor_s * 1e3),
                     cell(t.per_cached_token_s * 1e9));
}

std::string fit_text(const EngineFit& f) {
  std::string text = wrapped(fmt::format("{}: {}", f.profile.name, f.profile.fitted_on), 0, 2);
  if (f.left_out > 0)
    text += fmt::format("  {} left out: the cache is full, so that the engine waits\n",
                        counted(f.left_out, "row"));
  text += fmt::format("{:<20}{:>9}{:>9}{:>9}{:>9}{:>9}{:>7}{:>8}\n", "ms (cached: ns)", "prefill",
                      "request", "step", "tensor", "sequence", "floor", "cached");
  text += times_text("any GPU", f.profile.times);
  for (const auto& [gpu, times] : f.profile.on_gpu) text += times_text(gpu, times);
  return text;
}

// The profile that ships for a framework; a bare one of that name where there is none.
EngineProfile base_of(const std::string& framework) {
  try {
    return find_engine(framework.empty() ? "kernels" : framework);
  } catch (const BadInput&) {
    EngineProfile bare = find_engine("kernels");
    bare.name = framework;
    return bare;
  }
}

int run(const Options& o) {
  check_writable(o.out);
  const fs::path beside = fs::path(o.csv).parent_path() / ".." / "workloads";
  const EndToEndCsv all = read_end_to_end(parse_csv(read_text(o.csv), o.csv), o.csv,
                                          o.workloads.empty() ? beside : fs::path(o.workloads));
  std::map<std::string, std::vector<EndToEndRow>> by_framework;
  for (const EndToEndRow& r : all.rows)
    if (o.framework.empty() || r.framework == o.framework) by_framework[r.framework].push_back(r);
  if (by_framework.empty())
    throw BadInput(fmt::format("{}: has no rows of framework '{}'", o.csv, o.framework));
  const bool one = fs::path(o.out).extension() == ".json";
  if (one && by_framework.size() > 1)
    throw BadInput(
        fmt::format("{}: has rows of {} frameworks; choose one with --framework, or "
                    "give a folder as --out",
                    o.csv, by_framework.size()));
  std::vector<NamedTable> tables;
  for (const std::string& table : o.tables) tables.push_back({table, load_table(table)});
  for (auto& [framework, rows] : by_framework) {
    const EndToEndCsv part{.csv = all.csv, .rows = std::move(rows), .rejected = {}};
    EngineProfile base = o.base.empty() ? base_of(framework) : find_engine(o.base);
    base.aliases.clear();
    const EngineFit f = fit_engine(part, base, tables);
    const fs::path file = one ? fs::path(o.out) : fs::path(o.out) / (f.profile.name + ".json");
    save_engine(f.profile, file);
    fmt::print("{}written to {}\n\n", fit_text(f), file.string());
  }
  for (const RejectedLine& r : all.rejected)
    fmt::print(stderr, "not used: {}:{}: {}\n", o.csv, r.line, r.reason);
  return all.rejected.empty() ? 0 : 1;
}

}  // namespace

std::function<int()> add_fit_engine(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("fit-engine", "What an engine adds, from measured requests");
  sub->add_option("--csv", o->csv, "Measured rows of whole models, as predict validate takes them")
      ->required();
  sub->add_option("--out", o->out, "Profile FILE.json, or a folder for one of each framework")
      ->required();
  sub->add_option("--framework", o->framework, "Only rows of this framework");
  sub->add_option("--engine", o->base, "Profile to start from (that of the framework)");
  sub->add_option("--table", o->tables, "Delay-factor tables instead of those that ship");
  sub->add_option("--workloads", o->workloads, "Folder of prompt lengths that notes name");
  return [o] { return run(*o); };
}

}  // namespace ridge
