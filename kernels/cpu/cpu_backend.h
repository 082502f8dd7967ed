#pragma once
#include <memory>

#include "kernels/core/backend.h"

namespace ridge {

// The host's CPU: one pinned OpenMP thread per core of the process's affinity mask, or `threads`.
std::unique_ptr<Backend> open_cpu_backend(int threads = 0);

}  // namespace ridge
