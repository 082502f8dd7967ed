#pragma once
#include "predictor/request/request.h"

namespace ridge {

// Bytes on the fullest GPU.
struct Memory {
  double capacity = 0, usable = 0;  // usable = capacity · the engine's share
  double weights = 0;
  double kv = 0;           // at the end of the request
  double activations = 0;  // the largest step's buffers: hidden states, MLP, logits
  double workspace = 0;    // of the libraries
  double framework = 0;    // CUDA context, allocator, graphs
  double total() const { return weights + kv + activations + workspace + framework; }
  bool fits() const { return total() <= usable; }

  double kv_bytes_per_token = 0;
  int64_t kv_blocks = 0;         // of kBlockTokens that fit beside the rest
  int64_t max_batch = 0;         // at this request's context
  int64_t max_context = 0;       // at this request's batch
};
inline constexpr int64_t kBlockTokens = 16;

Memory memory_of(const DeviceInfo& device, const Deployment& d, const Request& r);

}  // namespace ridge
