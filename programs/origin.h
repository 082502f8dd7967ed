#pragma once
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <map>
#include <string>

#include "git_revision.h"

namespace ridge {

// Provenance of what a command writes: its command line, the revision it was built from, and now.
inline std::map<std::string, std::string> origin_of(std::string command, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  return {{"command_line", command},
          {"git_revision", kGitRevision},
          {"started", fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)))}};
}

}  // namespace ridge
