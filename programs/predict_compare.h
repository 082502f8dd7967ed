#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// The subcommand `compare`; the function runs it after parsing and returns the exit code: 1 where a
// row that fits could not be predicted.
std::function<int()> add_compare(CLI::App& app);

}  // namespace ridge
