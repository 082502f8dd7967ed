// predict validate: a table against measured latencies.
#include "programs/predict_validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/end_to_end/report.h"
#include "predictor/validation_report.h"
#include "programs/draw_charts.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> csvs, tables;
  std::string out, engine = "kernels", workloads;
  bool json = false, no_charts = false;
};

std::vector<DelayTable> load_tables(const std::vector<std::string>& paths) {
  std::vector<DelayTable> tables;
  for (const std::string& path : paths) {
    tables.push_back(load_table(path));
    const DelayTable& made = tables.back();
    for (const std::string& note : made.notes) fmt::print(stderr, "note: {}\n", note);
    for (const DelayTable& other : tables)
      if (&other != &made && same_device(other.device.name, made.device.name))
        throw BadInput(path + ": a second table of '" + made.device.name +
                       "'; give one for each device");
  }
  return tables;
}

Validation validate(const Options& o) {
  const std::vector<DelayTable> tables = load_tables(o.tables);
  Validation v;
  for (const std::string& path : o.csvs) {
    const Csv csv = parse_csv(read_text(path), path);
    // What the rows are shows in the columns: kernels have an operator.
    if (std::find(csv.header.begin(), csv.header.end(), "op") == csv.header.end())
      throw BadInput(path +
                     ": line 1: column 'op' is missing; measured kernels have op, dtype, "
                     "their axes and latency_us");
    validate_kernels(tables, csv, path, v);
  }
  return v;
}

void write_results(const Options& o, const Validation& v, const ValidationSummary& s) {
  const fs::path folder = o.out;
  write_file(folder / "predictions.csv", predictions_csv(v));
  write_file(folder / "statistics.json", to_json(v, s).dump(1) + "\n");
  if (!o.no_charts) draw_charts("plot_validation", {folder.string()});
}

bool is_csv(const fs::path& out) { return out.extension() == ".csv"; }

void write_results(const Options& o, const EndToEndCsv& measured, const EndToEndValidation& v,
                   const EndToEndSummary& s) {
  const fs::path out = o.out;
  if (is_csv(out)) {
    write_file(out, predictions_csv(measured, v));
    return;
  }
  write_file(out / "predictions.csv", predictions_csv(measured, v));
  write_file(out / "statistics.json", to_json(v, s).dump(1) + "\n");
  if (!o.no_charts && !s.worst.empty()) draw_charts("plot_validation", {out.string()});
}

EndToEndValidation validate_end_to_end(const Options& o, const EndToEndCsv& measured) {
  EndToEndOptions options{.engine = o.engine, .tables = {}};
  for (const std::string& table : o.tables) options.tables.push_back({table, load_table(table)});
  return validate_end_to_end(measured, options);
}

// Rows of whole models; `--out` is a CSV file or a folder.
int run_end_to_end(const Options& o, Csv csv) {
  const std::string& path = o.csvs.front();
  const fs::path beside = fs::path(path).parent_path() / ".." / "workloads";
  const EndToEndCsv measured =
      read_end_to_end(std::move(csv), path, o.workloads.empty() ? beside : fs::path(o.workloads));
  if (!o.out.empty()) check_writable(is_csv(o.out) ? o.out : o.out + "/statistics.json");
  const EndToEndValidation v = validate_end_to_end(o, measured);
  const EndToEndSummary s = summarize(v);
  if (o.json)
    fmt::print("{}\n", to_json(v, s).dump(1));
  else
    fmt::print("{}{}", head_text(v, path, o.engine), end_to_end_text(s));
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  if (!o.out.empty()) {
    write_results(o, measured, v, s);
    fmt::print(o.json ? stderr : stdout, "\nwritten to {}\n", o.out);
  }
  fmt::print(stderr, "{}", rejected_text(v, path));
  return v.rejected.empty() ? 0 : 1;
}

bool has_column(const Csv& csv, const char* name) {
  return std::find(csv.header.begin(), csv.header.end(), name) != csv.header.end();
}

int run_kernels(const Options& o);

int run(const Options& o) {
  if (o.csvs.size() == 1) {
    Csv csv = parse_csv(read_text(o.csvs[0]), o.csvs[0]);
    if (!has_column(csv, "op") && has_column(csv, "model"))
      return run_end_to_end(o, std::move(csv));
  }
  if (o.tables.empty()) throw BadInput("--table is required: measured kernels are held to a table");
  return run_kernels(o);
}

int run_kernels(const Options& o) {
  if (!o.out.empty()) check_writable(fs::path(o.out) / "statistics.json");
  const Validation v = validate(o);
  const ValidationSummary s = summarize_validation(v);
  if (o.json)
    fmt::print("{}\n", to_json(v, s).dump(1));
  else
    fmt::print("{} rows of {} file{}\n\n{}", v.rows.size(), o.csvs.size(),
               o.csvs.size() == 1 ? "" : "s", validation_text(s));
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  if (!o.out.empty() && !v.rows.empty()) {
    write_results(o, v, s);
    fmt::print(o.json ? stderr : stdout, "\nwritten to {}\n", o.out);
  }
  fmt::print(stderr, "{}", rejected_text(v.rejected));
  return v.rejected.empty() ? 0 : 1;
}

}  // namespace

std::function<int()> add_validate(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("validate", "Error of a table on measured latencies");
  sub->add_option(
         "--csv", o->csvs,
         "Measured kernels (op, dtype, axes, latency_us) or whole models (gpu, model, ...)")
      ->required();
  sub->add_option("--table", o->tables, "Delay-factor tables; the column gpu chooses");
  sub->add_option("--engine", o->engine, "Engine profile of whole models, or auto: the row's")
      ->capture_default_str();
  sub->add_option("--workloads", o->workloads, "Folder of prompt lengths that notes name");
  sub->add_option("--out", o->out,
                  "Folder for predictions.csv, statistics.json and charts; or FILE.csv");
  sub->add_flag("--json", o->json, "The statistics as JSON");
  sub->add_flag("--no-charts", o->no_charts, "Draw nothing");
  return [o] { return run(*o); };
}

}  // namespace ridge
