#include "programs/draw_charts.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "roofline/device_specs.h"

namespace ridge {

bool draw_charts(const std::string& script, const std::vector<std::string>& arguments) {
  const std::filesystem::path path = data_dir() / "scripts" / script;
  if (!std::filesystem::exists(path)) {
    fmt::print(stderr, "note: no charts: {} is not installed\n", path.string());
    return false;
  }
  std::vector<std::string> words{path.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::fflush(stdout);  // before what the script says
  const pid_t child = fork();
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);  // standard output is the program's own
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 1;
  if (child >= 0 && waitpid(child, &status, 0) >= 0 && status == 0) return true;
  fmt::print(stderr, "note: no charts: {} failed; draw them later with\n  {} {}\n", script,
             path.string(), arguments.front());
  return false;
}

}  // namespace ridge
