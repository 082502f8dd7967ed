#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// `predict` without a subcommand: one model, one GPU, one request. Adds its options to the program
// itself; the function runs it after parsing and returns the exit code: 1 where --must-fit was
// given and it does not fit.
std::function<int()> add_model(CLI::App& app);

}  // namespace ridge
