#include "profilers/ncu.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>

namespace ridge {
namespace {

constexpr const char* kDram = "dram__throughput.avg.pct_of_peak_sustained_elapsed";
constexpr const char* kL2 = "lts__throughput.avg.pct_of_peak_sustained_elapsed";

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file))
    text.append(part.data(), n);
  return text;
}

// This process's environment, with numbers written as in C.
std::vector<std::string> plain_environment() {
  std::vector<std::string> all{"LC_ALL=C"};
  for (char** e = environ; *e; ++e)
    if (std::strncmp(*e, "LC_", 3) != 0) all.emplace_back(*e);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

struct Written {
  std::string out, error;
  int start_error = 0;  // an errno where the command did not start
};

// Runs the command to its end. What it writes goes through files, so that a full pipe cannot stop
// it.
Written run_command(std::vector<std::string> command) {
  const File out(std::tmpfile()), error(std::tmpfile());
  if (!out || !error) return {.start_error = errno};
  std::vector<std::string> environment = plain_environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(error.get()), STDERR_FILENO);
  pid_t child = 0;
  const int status = posix_spawn(&child, command.front().c_str(), &actions, nullptr,
                                 pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) return {.start_error = status};
  int ended = 0;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  return {.out = contents(out.get()), .error = contents(error.get())};
}

}  // namespace

std::string find_ncu() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path file = std::filesystem::path(folder) / "ncu";
    std::error_code unreadable;
    if (!folder.empty() && std::filesystem::is_regular_file(file, unreadable) &&
        access(file.c_str(), X_OK) == 0)
      return file.string();
  }
  return "";
}

// sm__pipe_tensor_cycles_active holds for every generation and instruction. Where a version of ncu
// lacks it for an older one, instructions issued to the pipe over the most it can take say the same
// as long as all are alike; Hopper's wgmma are not. Nsight Compute names what it cannot read "n/a".
std::vector<std::string> tensor_metrics(int sm, const std::string& of) {
  std::vector<std::string> all{"sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_" + of};
  if (sm < 90) all.push_back("sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_" + of);
  return all;
}

// Options as in https://docs.nvidia.com/nsight-compute/NsightComputeCli (5.3.7 NVTX Filtering: the
// slash makes the name that of a pushed range). Clocks stay as they are and caches are flushed, as
// when times are taken.
std::vector<std::string> ncu_command(const std::string& ncu, int sm,
                                     const std::vector<std::string>& program) {
  std::string metrics = fmt::format("{},{},{}", kNcuDuration, kDram, kL2);
  for (const char* of : {"active", "elapsed"})
    for (const std::string& metric : tensor_metrics(sm, of)) metrics += "," + metric;
  std::vector<std::string> command{ncu,
                                   "--config-file",
                                   "off",
                                   "--csv",
                                   "--page",
                                   "raw",
                                   "--print-units",
                                   "base",
                                   "--nvtx",
                                   "--nvtx-include",
                                   std::string(kCountedRange) + "/",
                                   "--clock-control",
                                   "none",
                                   "--cache-control",
                                   "all",
                                   "--metrics",
                                   metrics};
  command.insert(command.end(), program.begin(), program.end());
  return command;
}

CallCounters count_under_ncu(const std::string& ncu, int sm,
                             const std::vector<std::string>& program, NcuError* error) {
  const Written written = run_command(ncu_command(ncu, sm, program));
  if (written.start_error != 0) {
    *error = {fmt::format("{} does not start: {}", ncu, std::strerror(written.start_error)), true};
    return {};
  }
  const std::vector<KernelCounters> kernels = parse_ncu_csv(written.out);
  CallCounters counters{
      .tensor_pipe_pct = mean_over_time(kernels, tensor_metrics(sm, "active")),
      .tensor_pipe_elapsed_pct = mean_over_time(kernels, tensor_metrics(sm, "elapsed")),
      .dram_pct = mean_over_time(kernels, {kDram}),
      .l2_pct = mean_over_time(kernels, {kL2}),
      .kernels = kernels.size()};
  if (kernels.empty())
    *error = ncu_error(written.out + "\n" + written.error);
  else if (!counters.tensor_pipe_pct && !counters.dram_pct && !counters.l2_pct)
    *error = {"ncu has none of the metrics that were asked for on this device", true};
  return counters;
}

}  // namespace ridge
