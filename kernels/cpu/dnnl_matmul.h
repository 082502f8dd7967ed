#pragma once
#include <functional>
#include <memory>
#include <string>

#include "kernels/cpu/context.h"

namespace ridge {

// W[n,k] in the layout that oneDNN likes best for a product of one row. It is the same for any
// number on the one CPU that was tried (AMD EPYC 9R45, oneDNN 2.6).
class PackedWeights final : public Weights {
 public:
  PackedWeights(CpuContext& context, Dtype dtype, int64_t n, int64_t k, const void* w);
  // In the layout of `form`.
  PackedWeights(CpuContext& context, const dnnl::memory::desc& plain,
                const dnnl::memory::desc& form, const void* w);
  int64_t bytes() const override { return static_cast<int64_t>(memory_.get_desc().get_size()); }
  const void* plain() const override { return nullptr; }
  const dnnl::memory& memory() const { return memory_; }

 private:
  std::shared_ptr<void> held_;
  dnnl::memory memory_;
};

// C[m,n] = A[m,k] · W[n,k]^T (+ bias[n]), all row-major. With `dtype` int8, A and W are s8 and C is
// s32.
struct PackedMatmul {
  int64_t m = 0, n = 0, k = 0;
  Dtype dtype = Dtype::kF32;
};

// The returned callable runs the product; `detail` gets oneDNN's name of the kernel it chose.
// Arguments::weights are PackedWeights; without them W is packed here. Throws BadInput where no
// kernel takes the layout that weights were packed in.
std::function<void()> bind_packed_matmul(CpuContext& context, const PackedMatmul& shape,
                                         const Arguments& a, std::string* detail);

// C[b,m,n] = A[b,m,k] · B[b,k,n] in f32, all row-major; both operands are taken as they come.
struct BatchedMatmul {
  int64_t batch = 0, m = 0, n = 0, k = 0;
};
std::function<void()> bind_batched_matmul(CpuContext& context, const BatchedMatmul& shape,
                                          const float* a, const float* b, float* c,
                                          std::string* detail);

}  // namespace ridge
