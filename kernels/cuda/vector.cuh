#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

// 16-byte accesses, and arithmetic in f32 whatever the storage. Compiles as plain C++ too, for the
// tests that run kernel logic without a GPU.
namespace ridge::cuda {

template <class T>
struct alignas(16) Pack {
  static constexpr int kCount = 16 / sizeof(T);
  T v[kCount];
};

// `p` must be 16-byte aligned. Rows of a tensor are when its columns are a multiple of kCount;
// kernels fall back to single elements otherwise.
template <class T>
__host__ __device__ inline Pack<T> load_pack(const T* p) {
  return *reinterpret_cast<const Pack<T>*>(p);
}
template <class T>
__host__ __device__ inline void store_pack(T* p, const Pack<T>& value) {
  *reinterpret_cast<Pack<T>*>(p) = value;
}

// int4, but known to depend on T: plain C++ looks for __ldcs when it meets the use, not before.
template <class T>
using Word16 = std::conditional_t<sizeof(T) != 0, int4, void>;

// For data larger than the caches: lines that are evicted first, so that they do not push out what
// other kernels left there.
template <class T>
__device__ inline Pack<T> load_pack_streaming(const T* p) {
  Pack<T> pack;
  *reinterpret_cast<Word16<T>*>(&pack) = __ldcs(reinterpret_cast<const Word16<T>*>(p));
  return pack;
}
template <class T>
__device__ inline void store_pack_streaming(T* p, const Pack<T>& value) {
  __stcs(reinterpret_cast<Word16<T>*>(p), *reinterpret_cast<const Word16<T>*>(&value));
}

enum class Reuse { kCached, kStreaming };
template <Reuse reuse, class T>
__device__ inline Pack<T> load_pack_as(const T* p) {
  if constexpr (reuse == Reuse::kStreaming) return load_pack_streaming(p);
  return load_pack(p);
}
template <Reuse reuse, class T>
__device__ inline void store_pack_as(T* p, const Pack<T>& value) {
  if constexpr (reuse == Reuse::kStreaming)
    store_pack_streaming(p, value);
  else
    store_pack(p, value);
}

// The block's dynamic shared memory, 16-byte aligned. Templates that declared it themselves with
// different types would clash.
#ifdef __CUDACC__
template <class T>
__device__ inline T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char ridge_dynamic_shared[];
  return reinterpret_cast<T*>(ridge_dynamic_shared);
}
#else
unsigned char* dynamic_shared_bytes();  // of the tests' shim
template <class T>
inline T* dynamic_shared() {
  return reinterpret_cast<T*>(dynamic_shared_bytes());
}
#endif

__host__ __device__ inline float to_float(float x) { return x; }
__host__ __device__ inline float to_float(__half x) { return __half2float(x); }
__host__ __device__ inline float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <class T>
__host__ __device__ inline T from_float(float x);
template <>
__host__ __device__ inline float from_float<float>(float x) {
  return x;
}
template <>
__host__ __device__ inline __half from_float<__half>(float x) {
  return __float2half(x);
}
template <>
__host__ __device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16(x);
}

}  // namespace ridge::cuda
