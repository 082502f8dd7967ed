#pragma once
#include <string>
#include <vector>

namespace ridge {

// What may make a CPU's times other than its own.
struct CpuState {
  bool hypervisor = false;  // the CPU says that it is a virtual one
  bool hidden_cache = false;
  int threads = 0;         // that measure
  int physical_cores = 0;  // that they run on; 0 when unknown
};

// DeviceInfo::notices.
std::vector<std::string> cpu_notices(const CpuState& state);

// Of /proc/cpuinfo's first processor: its flags have "hypervisor".
bool has_hypervisor(const std::string& cpuinfo_flags);

// How many different cores the processors are threads of, from the lists of siblings
// ("0,64", one a processor); 0 where any is unknown ("").
int count_cores(const std::vector<std::string>& siblings_of_each);

}  // namespace ridge
