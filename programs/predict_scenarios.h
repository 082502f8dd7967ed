#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// The subcommand `scenarios`; the function runs it after parsing and returns the exit code: 1 where
// a row could not be predicted.
std::function<int()> add_scenarios(CLI::App& app);

}  // namespace ridge
