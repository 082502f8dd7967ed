#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace ridge {

// The subcommand `validate`; the function runs it after parsing and returns the exit code.
std::function<int()> add_validate(CLI::App& app);

}  // namespace ridge
