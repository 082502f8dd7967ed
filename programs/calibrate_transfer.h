#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace ridge {

// `calibrate transfer`: a table for a GPU never measured, from tables of others.
struct TransferCommand {
  std::string to, out;
  std::vector<std::string> from;
  bool json = false;

  CLI::App* add_to(CLI::App& app);
  int run(const std::map<std::string, std::string>& origin) const;
};

}  // namespace ridge
