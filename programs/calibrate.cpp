// calibrate: this machine's ceilings and kernels, measured, and the delay-factor table of them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "calibrate/holdout.h"
#include "calibrate/run.h"
#include "calibrate/summary.h"
#include "calibrate/table.h"
#include "kernels/core/json_file.h"
#include "kernels/core/run_main.h"
#include "programs/calibrate_compact.h"
#include "programs/calibrate_import.h"
#include "programs/calibrate_transfer.h"
#include "programs/cli.h"
#include "programs/open_gpu.h"
#include "programs/origin.h"
#include "roofline/device_specs.h"

namespace {

using namespace ridge;

struct Options {
  std::string gpu = "auto";
  std::string budget;
  double target_error = 0;  // %
  std::string out;
  bool resume = false;
  bool json = false;
  uint64_t seed = 1;
  std::vector<std::string> only;
  // holdout
  std::string table;
  int shapes = 50;
};

int calibrate(const Options& options, const std::map<std::string, std::string>& origin) {
  const auto backend = open_gpu(options.gpu);
  const DeviceInfo& device = backend->device();
  CalibrationOptions run{.target_error = options.target_error / 100,
                         .resume = options.resume,
                         .only = options.only,
                         .seed = options.seed,
                         .provenance = origin,
                         .fastest_possible_s = datasheet_limit(device)};
  run.folder = options.out.empty() ? std::filesystem::path("results") / device_slug(device)
                                   : std::filesystem::path(options.out);
  run.budget_s = !options.budget.empty() ? parse_duration("--budget", options.budget)
                 : device.kind == "cpu"  ? 180
                                         : 600;
  const CalibrationResult result = run_calibration(*backend, run);
  if (result.interrupted) {
    fmt::print(stderr, "stopped: {} measurements are kept in {}; go on with --resume --out '{}'\n",
               result.measurements.size(), run.folder.string(), run.folder.string());
    return 1;
  }
  std::map<std::string, std::string> provenance = device.provenance;
  provenance.insert(origin.begin(), origin.end());
  const DelayTable table = make_table(device, result.ceilings, result.measurements, provenance);
  const auto path = run.folder / "delay_factors.json";
  save_table(table, path);
  if (options.json) {
    fmt::print("{}\n", table_to_json(table).dump());
  } else {
    fmt::print("{}\ntable: {}\n", summary(result, table), path.string());
  }
  return 0;
}

int holdout(const Options& options) {
  const DelayTable table = load_table(options.table);
  const auto backend = open_gpu(options.gpu);
  if (table.device.name != backend->device().name)
    throw BadInput(fmt::format("{}: is a table of {}, this is {}", options.table, table.device.name,
                               backend->device().name));
  const std::string csv = measure_holdout(
      *backend, table, {.shapes = options.shapes, .seed = options.seed, .only = options.only});
  write_file(options.out.empty() ? "holdout.csv" : options.out, csv);
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures this machine's ceilings and kernels and makes its delay-factor table."};
  app.add_option("--gpu", options.gpu, "auto, cpu, cuda:N or a GPU's name")->capture_default_str();
  app.add_option("--budget", options.budget, "time to spend, e.g. 90s or 10m (GPU 10m, CPU 3m)");
  app.add_option("--target-error", options.target_error,
                 "stop once cross-validation expects every operator to err by less, in %")
      ->check(CLI::Range(0.1, 100.0));
  app.add_option("--out", options.out, "folder of the results (default results/<device>)");
  app.add_flag("--resume", options.resume, "go on with the run that is in the folder");
  app.add_option("--ops", options.only, "only these operators")->delimiter(',');
  app.add_option("--seed", options.seed, "of shapes and values")->capture_default_str();
  app.add_flag("--json", options.json, "print the table as JSON instead of the summary");
  CLI::App* hold = app.add_subcommand(
      "holdout", "measure random shapes that are not in a table, as a CSV for predict kernels");
  hold->add_option("--gpu", options.gpu, "auto, cpu, cuda:N or a GPU's name");
  hold->add_option("--table", options.table, "the table whose domain to draw from")->required();
  hold->add_option("--shapes", options.shapes, "per operator, dtype and implementation")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  hold->add_option("--ops", options.only, "only these operators")->delimiter(',');
  hold->add_option("--seed", options.seed, "of shapes and values");
  hold->add_option("--out", options.out, "CSV file (default holdout.csv)");
  ImportCommand import_command;
  const CLI::App* import = import_command.add_to(app);
  CompactCommand compact_command;
  const CLI::App* compact = compact_command.add_to(app);
  TransferCommand transfer_command;
  const CLI::App* transfer = transfer_command.add_to(app);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  if (*hold) return holdout(options);
  if (*compact) return compact_command.run();
  if (*transfer) return transfer_command.run(origin_of("calibrate", argc, argv));
  if (*import) return import_command.run(origin_of("calibrate", argc, argv));
  return calibrate(options, origin_of("calibrate", argc, argv));
}

}  // namespace

int main(int argc, char** argv) {
  return ridge::run_main([&] { return run(argc, argv); });
}
