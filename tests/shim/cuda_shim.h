#pragma once
// Runs CUDA kernels on the CPU, so that their logic can be tested where no GPU is: one fiber per
// thread of a block, blocks one after another, threads in orders that `seed` decides. It
// proves results, barriers and index arithmetic, never timing; tensor-core and async-copy code
// cannot run here. Include this before the kernel under test:
//
//   #include "tests/shim/cuda_shim.h"
//   #include "kernels/norm/kernels.cuh"
//   shim::launch({.grid = {3}, .block = {128}, .shared_bytes = 512}, rmsnorm<float>, x, w, y, …);
//
// Throws shim::Failure for a barrier or warp operation that some live threads never reach, one
// that threads reach at different places, a lane outside its own mask, and writes to dynamic shared
// memory past `shared_bytes`. Threads that returned are not waited for, as on sm_70 and later.
// Reading a lane that takes no part gives all-ones (NaN). Dynamic shared memory starts as all-ones
// in every block; a kernel gets it from ridge::cuda::dynamic_shared<T>() (kernels/cuda/vector.cuh),
// because `extern __shared__` has no equal in plain C++.
#include <cuda_runtime.h>
// After cuda_runtime.h:
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <type_traits>

namespace shim {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Shape {
  dim3 grid = {1, 1, 1};
  dim3 block = {1, 1, 1};
  std::size_t shared_bytes = 0;
  uint64_t seed = 1;  // of the order in which threads run
};

constexpr std::size_t kMaxSharedBytes = 227 * 1024;  // an sm_90 block's limit

void run(const Shape& shape, const std::function<void()>& thread);

template <class Kernel, class... Args>
void launch(const Shape& shape, Kernel kernel, Args... args) {
  run(shape, [&] { kernel(args...); });
}

// Where the running thread is.
struct Position {
  uint3 thread{}, block{};
  dim3 block_size{}, grid_size{};
};
extern Position now;

using Site = std::source_location;
constexpr std::size_t kMaxValueBytes = 16;

// What one lane hands to a warp operation and gets back from it.
struct WarpRequest {
  const char* operation;
  unsigned mask;
  unsigned source;  // the lane whose value is wanted
  bool predicate;
  std::byte value[kMaxValueBytes];
  unsigned ballot;  // result: the predicates of the lanes that take part
};

unsigned lane();
void sync_block(Site site);
void sync_warp(WarpRequest& request, Site site);
unsigned sync_block_count(bool predicate, Site site);

template <class T>
T shuffle(const char* operation, unsigned mask, T value, unsigned source, Site site) {
  static_assert(sizeof(T) <= kMaxValueBytes && std::is_trivially_copyable_v<T>);
  WarpRequest r{operation, mask, source, false, {}, 0};
  std::memcpy(r.value, &value, sizeof(T));
  sync_warp(r, site);
  std::memcpy(&value, r.value, sizeof(T));
  return value;
}

inline unsigned ballot(const char* operation, unsigned mask, bool predicate, Site site) {
  WarpRequest r{operation, mask, lane(), predicate, {}, 0};
  sync_warp(r, site);
  return r.ballot;
}

template <class T, class F>
T reduce(const char* operation, unsigned mask, T value, F combine, Site site) {
  T sum{};
  bool first = true;
  for (unsigned l = 0; l < 32; ++l) {
    if (!(mask >> l & 1u)) continue;
    const T other = shuffle(operation, mask, value, l, site);
    sum = first ? other : combine(sum, other);
    first = false;
  }
  return sum;
}

template <class T, class F>
T exchange(T* address, F combine) {
  const T old = *address;
  *address = combine(old);
  return old;
}

}  // namespace shim

#define threadIdx (::shim::now.thread)
#define blockIdx (::shim::now.block)
#define blockDim (::shim::now.block_size)
#define gridDim (::shim::now.grid_size)
#define warpSize 32

// At block scope thread_local implies static, and all fibers of a block run in one OS thread.
#undef __shared__
#define __shared__ thread_local
#undef __global__
#define __global__ inline
#undef __launch_bounds__
#define __launch_bounds__(...)

#include "tests/shim/cuda_intrinsics.h"
