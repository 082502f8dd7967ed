#pragma once
#include "kernels/cuda/silu_mul.cuh"

namespace ridge::swiglu {

// h[rows, ffn] = silu(g) · u from gate_up[rows, 2·ffn], gate first. Blocks in x share a row, blocks
// in y stride over rows, so any grid is right. kPacked needs 16-byte aligned tensors and ffn a
// multiple of Pack<T>::kCount.
template <class T, bool kPacked>
__global__ void silu_mul_rows(const T* gate_up, T* h, int64_t rows, int64_t ffn) {
  constexpr int64_t kCount = kPacked ? cuda::Pack<T>::kCount : 1;
  const int64_t step = int64_t{gridDim.x} * blockDim.x * kCount;
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kCount;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const T* gate = gate_up + row * 2 * ffn;
    T* out = h + row * ffn;
    for (int64_t c = first; c < ffn; c += step) {
      if constexpr (kPacked)
        cuda::store_pack(
            out + c, cuda::silu_mul(cuda::load_pack(gate + c), cuda::load_pack(gate + ffn + c)));
      else
        out[c] = cuda::silu_mul(gate[c], gate[ffn + c]);
    }
  }
}

}  // namespace ridge::swiglu
