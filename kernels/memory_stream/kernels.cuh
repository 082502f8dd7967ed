#pragma once
#include "kernels/cuda/probe.cuh"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {

using cuda::Cache;
using cuda::Pack;

// 16-byte accesses, kUnroll of them in flight in each thread.
constexpr int kUnroll = 4;
constexpr int kMostThreads = 1024;
constexpr int kSharedThreads = 1024;

// Threads of a block: as many as find kUnroll accesses of their own in a part, and no more than a
// pass over DRAM takes, of which blocks there are plenty.
inline int block_threads(const Dims& d) {
  if (d.passes == 1) return 256;
  const int64_t packs = d.count / d.parts / Pack<float>::kCount;
  return packs / kUnroll >= kMostThreads ? kMostThreads : packs / kUnroll >= 512 ? 512 : 256;
}

// The part after `part`, `shift` parts on.
__device__ inline int64_t next_part(int64_t part, int64_t shift, int64_t parts) {
  return part + shift < parts ? part + shift : part + shift - parts;
}

// Sum of x[first, last) over the block's threads: each returns what it read. `first` is 16-byte
// aligned.
template <Cache cache>
__device__ inline float sum_part(const float* x, int64_t first, int64_t last) {
  constexpr int kCount = Pack<float>::kCount;
  const int64_t stride = static_cast<int64_t>(blockDim.x) * kCount;
  float sums[kUnroll] = {};
  int64_t i = first + static_cast<int64_t>(threadIdx.x) * kCount;
  for (; i + (kUnroll - 1) * stride + kCount <= last; i += kUnroll * stride) {
    Pack<float> v[kUnroll];
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) v[s] = cuda::probe_load<cache>(x + i + s * stride);
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) sums[s] += cuda::sum(v[s]);
  }
  for (; i + kCount <= last; i += stride) sums[0] += cuda::sum(cuda::probe_load<cache>(x + i));
#pragma unroll 1
  for (int64_t j = i; j < last; ++j) sums[0] += x[j];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Block p is unit p. `shift` is less than `parts`.
template <Cache cache>
__global__ void __launch_bounds__(kMostThreads, 1)
    read_parts(const float* __restrict__ x, float* __restrict__ y, Parts where, int64_t parts,
               int64_t passes, int64_t shift) {
  int64_t part = blockIdx.x, first = where.first(part), last = where.last(part);
  cuda::LongSum sum;
#pragma unroll 1
  for (int64_t pass = 0; pass < passes; ++pass) {
    sum.add(sum_part<cache>(x, first, last));
    if (shift == 0) continue;
    part = next_part(part, shift, parts);
    first = where.first(part);
    last = where.last(part);
  }
  const float total = cuda::block_sum(sum.total);
  if (threadIdx.x == 0) y[blockIdx.x] = total;
}

// y[i] = source(pack at i): the writers differ in what they read.
template <Cache cache, class Source>
__device__ inline void write_part(const Source& source, float* y, int64_t first, int64_t last) {
  constexpr int kCount = Pack<float>::kCount;
  const int64_t stride = static_cast<int64_t>(blockDim.x) * kCount;
  int64_t i = first + static_cast<int64_t>(threadIdx.x) * kCount;
  for (; i + (kUnroll - 1) * stride + kCount <= last; i += kUnroll * stride) {
    typename Source::Loaded v[kUnroll];
#pragma unroll
    for (int s = 0; s < kUnroll; ++s) v[s] = source.template load<cache>(i + s * stride);
#pragma unroll
    for (int s = 0; s < kUnroll; ++s)
      cuda::probe_store<cache>(y + i + s * stride, source.value(v[s]));
  }
  for (; i + kCount <= last; i += stride)
    cuda::probe_store<cache>(y + i, source.value(source.template load<cache>(i)));
#pragma unroll 1
  for (int64_t j = i; j < last; ++j) y[j] = source.single(j);
}

template <Cache cache, class Source>
__global__ void __launch_bounds__(kMostThreads, 1)
    write_parts(Source source, float* __restrict__ y, Parts where, int64_t parts, int64_t passes,
                int64_t shift) {
  int64_t part = blockIdx.x, first = where.first(part), last = where.last(part);
  source.begin();
#pragma unroll 1
  for (int64_t pass = 0; pass < passes; ++pass) {
    write_part<cache>(source, y, first, last);
    if (shift == 0) continue;
    part = next_part(part, shift, parts);
    first = where.first(part);
    last = where.last(part);
  }
}

struct Pattern {
  const float* pattern;
  using Loaded = Pack<float>;
  Loaded kept = {};
  // Parts and strides are multiples of the pattern: a thread always needs the same of it.
  __device__ void begin() {
    kept = cuda::load_pack(pattern + threadIdx.x * Pack<float>::kCount % kPattern);
  }
  template <Cache cache>
  __device__ Loaded load(int64_t) const {
    return kept;
  }
  __device__ Pack<float> value(const Loaded& v) const { return v; }
  __device__ float single(int64_t i) const { return pattern[i % kPattern]; }
};

struct Same {
  const float* x;
  using Loaded = Pack<float>;
  __device__ void begin() {}
  template <Cache cache>
  __device__ Loaded load(int64_t i) const {
    return cuda::probe_load<cache>(x + i);
  }
  __device__ Pack<float> value(const Loaded& v) const { return v; }
  __device__ float single(int64_t i) const { return x[i]; }
};

struct Scaled {
  const float *x, *s;
  using Loaded = Pack<float>;
  float factor = 0;
  __device__ void begin() { factor = *s; }
  template <Cache cache>
  __device__ Loaded load(int64_t i) const {
    return cuda::probe_load<cache>(x + i);
  }
  __device__ Pack<float> value(Loaded v) const {
#pragma unroll
    for (int k = 0; k < Pack<float>::kCount; ++k) v.v[k] *= factor;
    return v;
  }
  __device__ float single(int64_t i) const { return factor * x[i]; }
};

struct Triad {
  const float *b, *c, *s;
  struct Loaded {
    Pack<float> b, c;
  };
  float factor = 0;
  __device__ void begin() { factor = *s; }
  template <Cache cache>
  __device__ Loaded load(int64_t i) const {
    return {cuda::probe_load<cache>(b + i), cuda::probe_load<cache>(c + i)};
  }
  __device__ Pack<float> value(const Loaded& v) const {
    Pack<float> y;
#pragma unroll
    for (int k = 0; k < Pack<float>::kCount; ++k) y.v[k] = v.b.v[k] + factor * v.c.v[k];
    return y;
  }
  __device__ float single(int64_t i) const { return b[i] + factor * c[i]; }
};

// A warp reads 512 bytes in a row with each load, the widest that shared memory serves without
// conflicts. Sums of eight passes are short enough for plain addition.
__global__ void __launch_bounds__(kSharedThreads)
    read_shared(const float* __restrict__ x, float* __restrict__ y, int64_t passes) {
  constexpr int kCount = Pack<float>::kCount, kPassesTogether = 8;
  constexpr int kPacks = kSharedElements / (kSharedThreads * kCount);
  __shared__ Pack<float> tile[kSharedElements / kCount];
  for (int k = 0; k < kPacks; ++k) {
    const int at = k * kSharedThreads + static_cast<int>(threadIdx.x);
    tile[at] = cuda::load_pack(x + blockIdx.x * kSharedElements + at * kCount);
  }
  __syncthreads();
  const float* own = tile[threadIdx.x].v;
  float sums[kPacks] = {};
  cuda::LongSum sum;
  int64_t pass = 0;
  for (; pass + kPassesTogether <= passes; pass += kPassesTogether) {
#pragma unroll
    for (int i = 0; i < kPassesTogether * kPacks; ++i)
      sums[i % kPacks] += cuda::sum(cuda::probe_load_shared(own + static_cast<int64_t>(i % kPacks) *
                                                                      kSharedThreads * kCount));
#pragma unroll
    for (int k = 0; k < kPacks; ++k) {
      sum.add(sums[k]);
      sums[k] = 0;
    }
  }
  for (; pass < passes; ++pass)
    for (int k = 0; k < kPacks; ++k)
      sum.add(cuda::sum(
          cuda::probe_load_shared(own + static_cast<int64_t>(k) * kSharedThreads * kCount)));
  const float total = cuda::block_sum(sum.total);
  if (threadIdx.x == 0) y[blockIdx.x] = total;
}

}  // namespace ridge::memory_stream
