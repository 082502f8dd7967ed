#pragma once
#include <vector>

#include "kernels/core/backend.h"

namespace ridge {

std::vector<int> allowed_cpus();     // of this process's affinity mask
DeviceInfo detect_cpu(int threads);  // from /proc and sysconf; unknown fields stay 0
double read_cpu_clock_hz();          // current, of the first core; 0 when unknown
int64_t available_memory_bytes();

}  // namespace ridge
