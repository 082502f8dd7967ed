#pragma once
#include "kernels/cuda/vector.cuh"

// Accesses of probes, which must happen as written: the compiler neither merges nor moves them. In
// plain C++, for the tests that run kernel logic without a GPU, they are ordinary ones.
namespace ridge::cuda {

// Where a load may find its line: in the first level, or only in the L2. kStreaming looks in both
// and asks for its line to be evicted first.
enum class Cache { kL1, kL2, kStreaming };

template <Cache cache>
__device__ inline Pack<float> probe_load(const float* p) {
#ifdef __CUDA_ARCH__
  Pack<float> v;
  if constexpr (cache == Cache::kL1)
    asm volatile("ld.global.ca.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.v[0]), "=f"(v.v[1]), "=f"(v.v[2]), "=f"(v.v[3])
                 : "l"(p));
  else if constexpr (cache == Cache::kL2)
    asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.v[0]), "=f"(v.v[1]), "=f"(v.v[2]), "=f"(v.v[3])
                 : "l"(p));
  else
    asm volatile("ld.global.cs.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.v[0]), "=f"(v.v[1]), "=f"(v.v[2]), "=f"(v.v[3])
                 : "l"(p));
  return v;
#else
  return load_pack(p);
#endif
}

template <Cache cache>
__device__ inline int probe_load(const int* p) {
#ifdef __CUDA_ARCH__
  int v;
  if constexpr (cache == Cache::kL1)
    asm volatile("ld.global.ca.s32 %0, [%1];" : "=r"(v) : "l"(p));
  else if constexpr (cache == Cache::kL2)
    asm volatile("ld.global.cg.s32 %0, [%1];" : "=r"(v) : "l"(p));
  else
    asm volatile("ld.global.cs.s32 %0, [%1];" : "=r"(v) : "l"(p));
  return v;
#else
  return *p;
#endif
}

// Stores go to the L2 whatever is asked; kStreaming asks for eviction first.
template <Cache cache>
__device__ inline void probe_store(float* p, const Pack<float>& v) {
#ifdef __CUDA_ARCH__
  if constexpr (cache == Cache::kStreaming)
    asm volatile("st.global.cs.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(p), "f"(v.v[0]), "f"(v.v[1]),
                 "f"(v.v[2]), "f"(v.v[3])
                 : "memory");
  else
    asm volatile("st.global.cg.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(p), "f"(v.v[0]), "f"(v.v[1]),
                 "f"(v.v[2]), "f"(v.v[3])
                 : "memory");
#else
  store_pack(p, v);
#endif
}

// `p` points into shared memory.
__device__ inline Pack<float> probe_load_shared(const float* p) {
#ifdef __CUDA_ARCH__
  Pack<float> v;
  asm volatile("ld.volatile.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(v.v[0]), "=f"(v.v[1]), "=f"(v.v[2]), "=f"(v.v[3])
               : "r"(static_cast<unsigned>(__cvta_generic_to_shared(p))));
  return v;
#else
  return load_pack(p);
#endif
}

__device__ inline float sum(const Pack<float>& v) { return (v.v[0] + v.v[1]) + (v.v[2] + v.v[3]); }

// A sum of many terms, by Kahan: what rounding took from the last is given back with the next.
struct LongSum {
  float total = 0, lost = 0;
  __device__ void add(float x) {
    const float y = x - lost, t = total + y;
    lost = (t - total) - y;
    total = t;
  }
};

// Sum over a warp, in all its lanes.
__device__ inline float warp_sum(float x) {
  for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffffu, x, lanes);
  return x;
}

// Sum over a block of whole warps, in thread 0. All threads must come; once in a kernel, or with a
// __syncthreads() between.
__device__ inline float block_sum(float x) {
  __shared__ float partial[32];
  x = warp_sum(x);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = x;
  __syncthreads();
  float total = 0;
  if (threadIdx.x == 0)
    for (unsigned w = 0; w < blockDim.x / 32; ++w) total += partial[w];
  return total;
}

}  // namespace ridge::cuda
