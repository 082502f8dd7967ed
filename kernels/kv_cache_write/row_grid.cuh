#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

// Kernels whose work on a row depends on something looked up for the row (an id, a slot, a
// position): no division per element, and the items of a thread are far apart and independent, so
// that their loads are all in flight at once.
namespace ridge::cuda {

constexpr int kRowThreads = 256;
constexpr int kItemsPerThread = 4;

struct RowGrid {
  dim3 grid, block;
};

// For `rows` rows of `items` each: threads (x: items, y: rows of a block), blocks (x: rows, y:
// chunks of items, z: `tensors`). Narrow rows share a block.
inline RowGrid row_grid(int64_t rows, int64_t items, unsigned tensors = 1) {
  const int64_t per_row = (items + kItemsPerThread - 1) / kItemsPerThread;
  unsigned x = 1;
  while (x < kRowThreads && x < per_row) x *= 2;
  const unsigned y = kRowThreads / x;
  const int64_t chunk = int64_t{x} * kItemsPerThread;
  return {.grid = dim3(static_cast<unsigned>((rows + y - 1) / y),
                       static_cast<unsigned>((items + chunk - 1) / chunk), tensors),
          .block = dim3(x, y)};
}

// Where the running thread stands in a row_grid().
__device__ inline int64_t grid_row() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
}
__device__ inline int grid_item(int i) {
  return static_cast<int>((blockIdx.y * kItemsPerThread + i) * blockDim.x + threadIdx.x);
}

// This thread's share of copying one row of `items` units.
template <class Unit>
__device__ inline void copy_items(const Unit* from, Unit* to, int items) {
  Unit held[kItemsPerThread];
#pragma unroll
  for (int i = 0; i < kItemsPerThread; ++i)
    if (const int at = grid_item(i); at < items) held[i] = from[at];
#pragma unroll
  for (int i = 0; i < kItemsPerThread; ++i)
    if (const int at = grid_item(i); at < items) to[at] = held[i];
}

// Calls f(Unit{}) with the widest unit that divides a row of `row_bytes`, whose tensors are
// 16-byte aligned: what is copied has no dtype.
template <class F>
void with_copy_unit(int64_t row_bytes, F f) {
  if (row_bytes % 16 == 0) return f(uint4{});
  if (row_bytes % 8 == 0) return f(uint2{});
  if (row_bytes % 4 == 0) return f(uint32_t{});
  f(uint16_t{});
}

}  // namespace ridge::cuda
