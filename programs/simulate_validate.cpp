#include "programs/simulate_validate.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "programs/read_text.h"
#include "programs/simulate_options.h"
#include "simulator/validation/validation.h"

namespace ridge {
namespace {

struct Options {
  ScenarioOptions scenario;
  std::string rows, served;
  sim::ClosedLoopOptions closed_loop;
};

int validate(const Options& o) {
  if (o.rows.empty() == o.served.empty())
    throw BadInput("validate: give either --rows (closed loops) or --served (requests)");
  if (!o.rows.empty()) {
    const EndToEndCsv measured = read_end_to_end(parse_csv(read_text(o.rows), o.rows), o.rows, "");
    fmt::print("{}", text(validate_closed_loop(measured, o.closed_loop)));
  } else {
    nlohmann::json j = o.scenario.json();
    j["workload"] = {{"requests", 1}};  // the file's stand in its place
    fmt::print("{}", text(compare_served(o.scenario.scenario(j), o.served)));
  }
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  return 0;
}

}  // namespace

std::function<int()> add_simulate_validate(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("validate", "Against what was measured");
  add_scenario_options(*sub, o->scenario);
  sub->get_option("--engine")->description("Engine profile; of --rows the framework's own");
  sub->add_option("--rows", o->rows,
                  "CSV of closed loops: gpu, gpus, framework, model, dtype, input_tokens, "
                  "output_tokens, batch (clients), measured_tpot_ms");
  sub->add_option("--dtype", o->closed_loop.dtype, "Rows of it alone");
  sub->add_option("--framework", o->closed_loop.frameworks, "Rows of these alone");
  sub->add_option("--served", o->served,
                  "CSV of requests: arrival_s, input_tokens, output_tokens, first_token_s, "
                  "last_token_s");
  return [o] {
    if (!o->scenario.engine.empty()) o->closed_loop.engine = o->scenario.engine;
    return validate(*o);
  };
}

}  // namespace ridge
