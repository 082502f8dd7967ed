#pragma once
#include <dnnl.hpp>
#include <vector>

#include "kernels/core/backend.h"

namespace ridge {

// What a CPU launch may use: the OpenMP team (already pinned, `threads` strong) and oneDNN.
struct CpuContext {
  int threads = 1;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

using CpuImplementation = Implementation<CpuContext>;

}  // namespace ridge
