#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace ridge {

// `calibrate compact`: a table of many samples made small, to ship.
struct CompactCommand {
  std::string table, out;

  CLI::App* add_to(CLI::App& app);
  int run() const;
};

}  // namespace ridge
