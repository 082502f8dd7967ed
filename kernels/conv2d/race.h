#pragma once
#include <functional>
#include <vector>

#include "kernels/cuda/context.h"

namespace ridge::cuda {

// Times ways to do the same work, each on cold operands, in turn, so that a drifting clock is
// shared by all: the median device time of each in seconds, infinity for one that throws
// std::runtime_error. Throws OutOfMemory and DeviceLost. Synchronises: for bind() only.
std::vector<double> race(const CudaContext& context,
                         const std::vector<std::function<void()>>& ways);

}  // namespace ridge::cuda
