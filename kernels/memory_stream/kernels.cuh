#pragma once
#include "kernels/cuda/vector.cuh"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {

using cuda::Pack;

// 16-byte accesses, kUnroll of them in flight in each thread, all f32 and 16-byte aligned.
constexpr int kThreads = 256;
constexpr int kUnroll = 4;
constexpr int64_t kTile = int64_t{kThreads} * kUnroll * Pack<float>::kCount;
static_assert(kChunk % kTile == 0 && kThreads % (kPattern / 4) == 0);

// Block p sums chunk p.
__global__ void __launch_bounds__(kThreads)
    sum_chunks(const float* __restrict__ x, float* __restrict__ y, int64_t count) {
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kChunk;
  const int64_t last = first + kChunk < count ? first + kChunk : count;
  const int64_t stride = int64_t{kThreads} * Pack<float>::kCount;
  float sums[kUnroll] = {};
  int64_t i = first + static_cast<int64_t>(threadIdx.x) * Pack<float>::kCount;
  for (; i + (kUnroll - 1) * stride + Pack<float>::kCount <= last; i += kUnroll * stride) {
    Pack<float> v[kUnroll];
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) v[s] = cuda::load_pack_streaming(x + i + s * stride);
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) sums[s] += (v[s].v[0] + v[s].v[1]) + (v[s].v[2] + v[s].v[3]);
  }
  for (; i < last; i += stride)
    for (int64_t j = i; j < last && j < i + Pack<float>::kCount; ++j) sums[0] += x[j];

  float sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
  __shared__ float partial[kThreads / 32];
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0;
    for (int w = 0; w < kThreads / 32; ++w) total += partial[w];
    y[blockIdx.x] = total;
  }
}

// y[i] = value(i, pack read at i): the three writers differ in what they read. One block writes
// kTile elements.
template <class Source>
__global__ void __launch_bounds__(kThreads)
    write_tiles(Source source, float* __restrict__ y, int64_t count) {
  constexpr int kCount = Pack<float>::kCount;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x * kCount;
  constexpr int64_t kStride = int64_t{kThreads} * kCount;
  typename Source::Loaded loaded[kUnroll];
#pragma unroll
  for (int s = 0; s < kUnroll; ++s)
    if (first + s * kStride + kCount <= count) loaded[s] = source.load(first + s * kStride);
#pragma unroll
  for (int s = 0; s < kUnroll; ++s) {
    const int64_t i = first + s * kStride;
    if (i + kCount <= count)
      cuda::store_pack_streaming(y + i, source.value(loaded[s]));
    else
      for (int64_t j = i; j < count; ++j) y[j] = source.single(j);
  }
}

struct Pattern {
  const float* pattern;
  using Loaded = Pack<float>;
  // kStride is a multiple of the pattern, so the compiler keeps one load for all steps.
  __device__ Loaded load(int64_t i) const { return cuda::load_pack(pattern + i % kPattern); }
  __device__ Pack<float> value(const Loaded& v) const { return v; }
  __device__ float single(int64_t i) const { return pattern[i % kPattern]; }
};

struct Same {
  const float* x;
  using Loaded = Pack<float>;
  __device__ Loaded load(int64_t i) const { return cuda::load_pack_streaming(x + i); }
  __device__ Pack<float> value(const Loaded& v) const { return v; }
  __device__ float single(int64_t i) const { return x[i]; }
};

struct Triad {
  const float *b, *c, *s;
  struct Loaded {
    Pack<float> b, c;
  };
  __device__ Loaded load(int64_t i) const {
    return {cuda::load_pack_streaming(b + i), cuda::load_pack_streaming(c + i)};
  }
  __device__ Pack<float> value(const Loaded& v) const {
    const float factor = *s;
    Pack<float> y;
#pragma unroll
    for (int k = 0; k < Pack<float>::kCount; ++k) y.v[k] = v.b.v[k] + factor * v.c.v[k];
    return y;
  }
  __device__ float single(int64_t i) const { return b[i] + *s * c[i]; }
};

}  // namespace ridge::memory_stream
