#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>

namespace ridge {

// simulate capacity, sweep and find-batch, by name.
std::map<std::string, std::function<int()>> add_search_commands(CLI::App& app);

}  // namespace ridge
