#pragma once
#include <memory>

#include "kernels/core/backend.h"
#include "kernels/cuda/context.h"

namespace ridge::cuda {

// Backend::host_copy(): each run is one copy of `bytes` > 0 between buffers that the batch owns,
// made and touched here. Between events where the memory is page-locked; by the host's clock, to
// the end of the copy, where the driver stages pageable memory piece by piece. Throws OutOfMemory.
std::unique_ptr<Batch> host_copy_batch(const CudaContext& context, HostCopy how, int64_t bytes);

}  // namespace ridge::cuda
