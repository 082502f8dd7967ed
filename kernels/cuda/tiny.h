#pragma once
#include <cuda_runtime.h>

namespace ridge::cuda {

// Enqueues the shortest kernel there is: one thread that does nothing.
void enqueue_tiny(cudaStream_t stream);

}  // namespace ridge::cuda
