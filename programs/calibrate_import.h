#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace ridge {

// `calibrate import`: a table from latencies measured elsewhere.
struct ImportCommand {
  std::string timed = "device";
  std::string gpu, device_file, framework, dtype, out;
  std::vector<std::string> csv;
  std::size_t points = 0;
  bool json = false;

  CLI::App* add_to(CLI::App& app);
  int run(const std::map<std::string, std::string>& origin) const;
};

}  // namespace ridge
