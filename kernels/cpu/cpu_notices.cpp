#include "kernels/cpu/cpu_notices.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

namespace ridge {

std::vector<std::string> cpu_notices(const CpuState& state) {
  std::vector<std::string> all;
  if (state.hypervisor)
    all.push_back(
        "this is a virtual machine: neighbours on the same hardware disturb times and cannot be "
        "seen from here; measure on a machine of its own, or trust medians of long runs alone");
  if (state.hidden_cache)
    all.push_back(
        "the system hides the size of the last-level cache, and 64 MiB are assumed: where it is "
        "larger, operands may stay in it; have the hypervisor pass the host's caches on");
  if (state.physical_cores > 0 && state.threads > state.physical_cores)
    all.push_back(fmt::format(
        "{} threads measure on {} physical core{}: siblings share its arithmetic; give one "
        "processor of each core with taskset to measure cores",
        state.threads, state.physical_cores, state.physical_cores == 1 ? "" : "s"));
  return all;
}

bool has_hypervisor(const std::string& cpuinfo_flags) {
  std::istringstream words(cpuinfo_flags);
  for (std::string word; words >> word;)
    if (word == "hypervisor") return true;
  return false;
}

int count_cores(const std::vector<std::string>& siblings_of_each) {
  std::set<std::string> cores;
  for (const std::string& siblings : siblings_of_each) {
    if (siblings.empty()) return 0;
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
}

}  // namespace ridge
