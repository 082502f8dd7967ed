#pragma once
#include <cuda_runtime.h>

#include "kernels/swiglu/swiglu.h"

namespace ridge::swiglu {

// h[rows, ffn] = silu(g) · u from gate_up[rows, 2·ffn], on `stream`; f32, f16 and bf16.
void enqueue_silu_mul(Dtype dtype, const void* gate_up, void* h, const Dims& dims,
                      cudaStream_t stream);

}  // namespace ridge::swiglu
