#pragma once
#include <functional>
#include <string>

#include "kernels/cpu/context.h"

namespace ridge {

// C[m,n] = A[m,k] · W[n,k]^T, all row-major, W packed once at bind time into the layout oneDNN
// likes best. With `dtype` int8, A and W are s8 and C is s32.
struct PackedMatmul {
  int64_t m = 0, n = 0, k = 0;
  Dtype dtype = Dtype::kF32;
};

// The returned callable runs the product; `detail` gets oneDNN's name of the kernel it chose.
std::function<void()> bind_packed_matmul(CpuContext& context, const PackedMatmul& shape,
                                         const void* a, const void* w, void* c,
                                         std::string* detail);

// C[b,m,n] = A[b,m,k] · B[b,k,n] in f32, all row-major; both operands are taken as they come.
struct BatchedMatmul {
  int64_t batch = 0, m = 0, n = 0, k = 0;
};
std::function<void()> bind_batched_matmul(CpuContext& context, const BatchedMatmul& shape,
                                          const float* a, const float* b, float* c,
                                          std::string* detail);

}  // namespace ridge
