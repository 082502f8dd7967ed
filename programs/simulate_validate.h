#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// simulate validate: against measured closed loops, or against requests that were served.
std::function<int()> add_simulate_validate(CLI::App& app);

}  // namespace ridge
