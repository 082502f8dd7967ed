#pragma once
#include "kernels/cpu/context.h"

namespace ridge::fma_peak {

CpuImplementation mma_implementation();

}  // namespace ridge::fma_peak
