#pragma once
#include <vector>

#include "kernels/cuda/context.h"

namespace ridge::fma_peak {

std::vector<CudaImplementation> mma_sync_implementations();
// In the plugin only where it is compiled for sm_90a: RIDGE_SM90A.
CudaImplementation wgmma_implementation();

}  // namespace ridge::fma_peak
