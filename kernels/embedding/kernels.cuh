#pragma once
#include "kernels/kv_cache_write/row_grid.cuh"

namespace ridge::embedding {

// out[row, :] = table[ids[row], :], rows of `items` units; on a row_grid().
template <class Unit>
__global__ void __launch_bounds__(cuda::kRowThreads)
    gather(const int32_t* __restrict__ ids, const Unit* __restrict__ table, Unit* __restrict__ out,
           int64_t rows, int items) {
  const int64_t row = cuda::grid_row();
  if (row >= rows) return;
  cuda::copy_items(table + ids[row] * static_cast<int64_t>(items), out + row * items, items);
}

}  // namespace ridge::embedding
