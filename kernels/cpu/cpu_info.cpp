#include "kernels/cpu/cpu_info.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <dnnl.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "kernels/cpu/cpu_notices.h"

namespace ridge {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

// The value of the first "key : value" line in /proc/cpuinfo or /proc/meminfo.
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(':');
    const auto start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

// "32768K" as the kernel writes it.
int64_t parse_size(const std::string& text) {
  if (text.empty()) return 0;
  const int64_t value = std::atoll(text.c_str());
  return text.back() == 'K' ? value << 10 : text.back() == 'M' ? value << 20 : value;
}

// Sum of the distinct last-level caches that the used cores reach.
int64_t last_level_cache_bytes(const std::vector<int>& cpus) {
  int top_level = 0;
  std::set<std::string> seen;
  int64_t total = 0;
  for (int cpu : cpus) {
    const std::filesystem::path root = fmt::format("/sys/devices/system/cpu/cpu{}/cache", cpu);
    for (int index = 0; std::filesystem::exists(root / fmt::format("index{}", index)); ++index) {
      const auto cache = root / fmt::format("index{}", index);
      const int level = std::atoi(first_line(cache / "level").c_str());
      if (first_line(cache / "type") == "Instruction" || level < top_level) continue;
      if (level > top_level) {
        top_level = level;
        seen.clear();
        total = 0;
      }
      if (seen.insert(first_line(cache / "shared_cpu_list")).second)
        total += parse_size(first_line(cache / "size"));
    }
  }
  if (total > 0) return total;
  const long reported = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return reported > 0 ? reported : 0;
}

CpuState state_of(int threads, bool hidden_cache) {
  std::vector<std::string> siblings;
  for (int cpu : allowed_cpus())
    siblings.push_back(first_line(
        fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu)));
  return {.hypervisor = has_hypervisor(proc_value("/proc/cpuinfo", "flags")),
          .hidden_cache = hidden_cache,
          .threads = threads,
          .physical_cores = count_cores(siblings)};
}

}  // namespace

std::vector<int> allowed_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0)
    for (unsigned i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &mask)) cpus.push_back(static_cast<int>(i));
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

double read_cpu_clock_hz() {
  const std::string khz = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq");
  if (!khz.empty()) return std::atof(khz.c_str()) * 1e3;
  const std::string mhz = proc_value("/proc/cpuinfo", "cpu MHz");
  return mhz.empty() ? 0 : std::atof(mhz.c_str()) * 1e6;
}

int64_t available_memory_bytes() {
  const std::string kib = proc_value("/proc/meminfo", "MemAvailable");
  return kib.empty() ? 0 : std::atoll(kib.c_str()) << 10;
}

DeviceInfo detect_cpu(int threads) {
  DeviceInfo d;
  d.kind = "cpu";
  d.name = proc_value("/proc/cpuinfo", "model name");
  if (d.name.empty()) d.name = "unknown CPU";
  d.units = threads;
  d.last_level_cache_bytes = last_level_cache_bytes(allowed_cpus());
  const CpuState state = state_of(threads, d.last_level_cache_bytes == 0);
  d.notices = cpu_notices(state);
  if (state.hypervisor) d.provenance["hypervisor"] = "yes";
  if (state.physical_cores > 0) d.provenance["cores"] = std::to_string(state.physical_cores);
  if (state.hidden_cache) {  // a virtual machine that hides its caches
    d.last_level_cache_bytes = 64 << 20;
    d.provenance["last_level_cache"] = "hidden by the system; 64 MiB assumed";
  }
  d.memory_bytes = sysconf(_SC_PHYS_PAGES) * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
  const std::string khz = first_line("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  d.clock_hz = khz.empty() ? read_cpu_clock_hz() : std::atof(khz.c_str()) * 1e3;
  utsname system{};
  uname(&system);
  d.provenance["kernel"] = system.release;
  d.provenance["threads"] = std::to_string(threads);
  d.provenance["governor"] = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  const dnnl_version_t* v = dnnl_version();
  d.provenance["onednn"] = fmt::format("{}.{}.{}", v->major, v->minor, v->patch);
  d.provenance["isa"] =
      fmt::format("oneDNN isa {:#x}", static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
  return d;
}

}  // namespace ridge
