#pragma once
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>
#include <string>

#include "kernels/core/error.h"

namespace ridge {

// Parses; the value is the exit code to end with now: 0 after --help, 2 for wrong use.
inline std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
}

// "90", "90s", "10m", "1h" in seconds.
inline double parse_duration(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double scale = unit == "m" ? 60 : unit == "h" ? 3600 : 1;
  const bool known = unit.empty() || unit == "s" || unit == "m" || unit == "h";
  if (end == text.c_str() || !known || !(value > 0) || value * scale > 7 * 86400.0)
    throw BadInput(option + " " + text + ": want a time such as 90s, 10m or 1h");
  return value * scale;
}

}  // namespace ridge
