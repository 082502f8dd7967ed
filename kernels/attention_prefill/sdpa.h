#pragma once
#include <functional>
#include <string>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/cuda/context.h"

namespace ridge::attention_prefill {

// `op` by cuDNN's fused attention, with `dims` telling its shape; causal where seq > 1. f16 and
// bf16, sm_80 and later, head_dim up to 128 (256 on sm_90). Unsupported, with the reason, where the
// plugin is built without cuDNN or cuDNN has no plan for the shape.
CudaImplementation cudnn_sdpa(std::string op, std::function<Dims(const Call&)> dims);

}  // namespace ridge::attention_prefill
