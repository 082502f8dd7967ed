#pragma once
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "simulator/config/scenario.h"

namespace ridge {

// A scenario from a file, from options, or from a file with some keys replaced.
struct ScenarioOptions {
  std::string config, model, gpu, scheduler, engine, arrivals, ttft_limit, tpot_limit;
  double rate = 0, duration = 0;
  int64_t requests = 0, input = 0, output = 0, tensor = 0, pipeline = 0, replicas = 0, seed = -1,
          concurrency = 0, max_sequences = 0;
  std::vector<std::string> set;

  // Throws BadInput, as scenario() does.
  nlohmann::json json() const;
  sim::Scenario scenario() const { return scenario(json()); }
  sim::Scenario scenario(const nlohmann::json& j) const;
};

// Adds them to a command; `o` must outlive the parsing.
void add_scenario_options(CLI::App& app, ScenarioOptions& o);

}  // namespace ridge
