// predict scenarios: a first-generation file of requests.
#include "programs/predict_scenarios.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/scenarios/scenarios.h"
#include "predictor/validation_report.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

struct Options {
  std::string csv, out, engine = "kernels";
  std::vector<std::string> tables;
  int64_t tensor = 1;
};

// The user's tables of a GPU where there are any, else those that ship.
class Tables {
 public:
  Tables(const std::vector<std::string>& files, std::string framework)
      : framework_(std::move(framework)) {
    for (const std::string& file : files) own_.push_back({file, load_table(file)});
  }

  TableSet of(const std::string& gpu) const {
    std::vector<NamedTable> own;
    for (const NamedTable& t : own_)
      if (same_device(t.table.device.name, gpu)) own.push_back(t);
    return own.empty() ? shipped_tables(gpu, framework_) : TableSet(std::move(own), framework_);
  }

 private:
  std::vector<NamedTable> own_;
  std::string framework_;
};

int run(const Options& o) {
  if (!o.out.empty()) check_writable(o.out);
  const Csv csv = parse_csv(read_text(o.csv), o.csv);
  const EngineProfile engine = find_engine(o.engine);
  const Tables tables(o.tables, engine.framework);
  const Scenarios s = predict_scenarios(
      csv, o.csv, {.engine = engine, .tensor = o.tensor, .tables = [&](const std::string& gpu) {
                     return tables.of(gpu);
                   }});
  const std::string text = scenarios_csv(csv, s);
  if (o.out.empty())
    fmt::print("{}", text);
  else
    write_file(o.out, text);
  if (!o.out.empty()) fmt::print("{} scenarios predicted: {}\n", s.predicted.size(), o.out);
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  fmt::print(stderr, "{}", rejected_text(s.rejected));
  return s.rejected.empty() ? 0 : 1;
}

}  // namespace

std::function<int()> add_scenarios(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("scenarios", "First-generation scenario files");
  sub->add_option("--csv", o->csv,
                  "Columns gpu, model, input_length, output_length, batch_size, and any others")
      ->required();
  sub->add_option("--out", o->out, "Where the predictions go (standard output without it)");
  sub->add_option("--engine", o->engine, "Engine profile by name, or a file")
      ->capture_default_str();
  sub->add_option("--table", o->tables, "Your own delay-factor tables; the column gpu chooses");
  sub->add_option("--tp", o->tensor, "GPUs that share each layer")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  return [o] { return run(*o); };
}

}  // namespace ridge
