#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/core/json_file.h"
#include "kernels/core/run_main.h"
#include "predictor/predict_kernels.h"
#include "programs/cli.h"
#include "programs/predict_compare.h"
#include "programs/predict_fit_engine.h"
#include "programs/predict_model.h"
#include "programs/predict_scenarios.h"
#include "programs/predict_validate.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

struct KernelsOptions {
  std::string table, csv, out;
  bool json = false;
};

// The predictions to a file or standard output; what people read then goes to standard error, so
// that a pipe gets only the data.
int kernels(const KernelsOptions& o) {
  const DelayTable table = load_table(o.table);
  for (const std::string& note : table.notes) fmt::print(stderr, "note: {}\n", note);
  const KernelPredictions k = predict_kernels(table, parse_csv(read_text(o.csv), o.csv), o.csv);
  const std::string text = o.json ? to_json(k).dump(1) + "\n" : csv_text(k.csv);
  if (o.out.empty())
    fmt::print("{}", text);
  else
    write_file(o.out, text);
  std::FILE* people = o.out.empty() ? stderr : stdout;
  if (!k.errors.empty())
    fmt::print(people, "|predicted / measured - 1| on {}\n{}", table.device.name,
               error_table("operator", k.errors));
  if (!o.out.empty()) fmt::print("{} calls predicted: {}\n", k.calls.size(), o.out);
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  return 0;
}

std::function<int()> add_kernels(CLI::App& app) {
  const auto o = std::make_shared<KernelsOptions>();
  CLI::App* sub = app.add_subcommand("kernels", "Latency of every call in a CSV file");
  sub->add_option("--table", o->table, "Delay-factor table of the device")->required();
  sub->add_option("--csv", o->csv, "Calls: columns op, dtype and one per axis; latency_us optional")
      ->required();
  sub->add_option("--out", o->out, "Where the predictions go (standard output without it)");
  sub->add_flag("--json", o->json, "Predictions and errors as JSON");
  return [o] { return kernels(*o); };
}

int predict(int argc, char** argv) {
  CLI::App app(
      "Predicts latency, throughput and memory of language models from delay-factor tables:\n"
      "  predict --model llama-3.1-8b --gpu h200 --input 4096 --output 512 --batch 16\n"
      "or, with a subcommand, what that says.");
  app.require_subcommand(0, 1);
  const std::map<std::string, std::function<int()>> commands{
      {"kernels", add_kernels(app)},
      {"compare", add_compare(app)},
      {"fit-engine", add_fit_engine(app)},
      {"scenarios", add_scenarios(app)},
      {"validate", add_validate(app)},
  };
  const std::function<int()> model = add_model(app);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  for (const auto& [name, run] : commands)
    if (app.got_subcommand(name)) return run();
  return model();
}

}  // namespace
}  // namespace ridge

int main(int argc, char** argv) {
  return ridge::run_main([&] { return ridge::predict(argc, argv); });
}
