#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/swiglu/cuda_silu_mul.h"
#include "kernels/swiglu/kernels.cuh"

namespace ridge::swiglu {
namespace {

constexpr int64_t kThreads = 256;

template <class T, bool kPacked>
void launch(const T* gate_up, T* h, const Dims& d, cudaStream_t stream) {
  const int64_t per_block = kThreads * (kPacked ? cuda::Pack<T>::kCount : 1);
  const dim3 grid(static_cast<unsigned>(
                      std::min<int64_t>((d.ffn + per_block - 1) / per_block, int64_t{1} << 20)),
                  static_cast<unsigned>(std::min<int64_t>(d.rows, 65535)));
  silu_mul_rows<T, kPacked>
      <<<grid, static_cast<unsigned>(kThreads), 0, stream>>>(gate_up, h, d.rows, d.ffn);
  RIDGE_CUDA(cudaGetLastError());
}

template <class T>
void launch(const void* gate_up, void* h, const Dims& d, cudaStream_t stream) {
  const auto* from = static_cast<const T*>(gate_up);
  if (d.ffn % cuda::Pack<T>::kCount == 0)
    launch<T, true>(from, static_cast<T*>(h), d, stream);
  else
    launch<T, false>(from, static_cast<T*>(h), d, stream);
}

}  // namespace

void enqueue_silu_mul(Dtype dtype, const void* gate_up, void* h, const Dims& d,
                      cudaStream_t stream) {
  switch (dtype) {
    case Dtype::kF32:
      return launch<float>(gate_up, h, d, stream);
    case Dtype::kF16:
      return launch<__half>(gate_up, h, d, stream);
    case Dtype::kBf16:
      return launch<__nv_bfloat16>(gate_up, h, d, stream);
    default:
      throw BadInput("swiglu: comes in f32, f16 and bf16");
  }
}

}  // namespace ridge::swiglu
