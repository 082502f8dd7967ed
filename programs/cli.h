#pragma once
#include <CLI/CLI.hpp>
#include <optional>

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

}  // namespace ridge
