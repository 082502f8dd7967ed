#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// The subcommand `fit-engine`; the function runs it after parsing and returns the exit code.
std::function<int()> add_fit_engine(CLI::App& app);

}  // namespace ridge
