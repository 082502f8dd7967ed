#pragma once
#include <cmath>

#include "kernels/cuda/vector.cuh"

namespace ridge::cuda {

// The device's fast exp and divide (a few units in the last place at |x| < 20, where silu has any
// size) keep 16-bit packs bound by memory and not by instructions.
__host__ __device__ inline float silu(float x) {
#ifdef __CUDA_ARCH__
  return __fdividef(x, 1.0f + __expf(-x));
#else
  return x / (1.0f + expf(-x));
#endif
}

// silu(gate) · up, in f32 whatever the storage.
template <class T>
__host__ __device__ inline T silu_mul(T gate, T up) {
  return from_float<T>(silu(to_float(gate)) * to_float(up));
}

template <class T>
__host__ __device__ inline Pack<T> silu_mul(const Pack<T>& gate, const Pack<T>& up) {
  Pack<T> out;
  for (int i = 0; i < Pack<T>::kCount; ++i) out.v[i] = silu_mul(gate.v[i], up.v[i]);
  return out;
}

}  // namespace ridge::cuda
