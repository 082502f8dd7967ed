#pragma once
#include "kernels/core/call.h"

namespace ridge::collectives {

// What `gpus` devices do together with buffers of `bytes`, `gpus_per_node` of them in each machine.
// `bytes` is the whole buffer, as in nccl-tests: what each device has after an all_gather, before a
// reduce_scatter, and both before and after the others.
struct Dims {
  int64_t gpus, bytes, gpus_per_node;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

}  // namespace ridge::collectives
