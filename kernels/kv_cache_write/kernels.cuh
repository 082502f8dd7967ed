#pragma once
#include "kernels/kv_cache_write/row_grid.cuh"

namespace ridge::kv_cache_write {

template <class Unit>
struct Tensors {
  const Unit *k, *v;     // [rows, items]
  const int32_t* slots;  // [rows]
  Unit *k_cache, *v_cache;
};

// k_cache[slots[row], :] = k[row, :], and the same for v; on a row_grid() of 2 tensors.
template <class Unit>
__global__ void __launch_bounds__(cuda::kRowThreads)
    scatter(Tensors<Unit> t, int64_t rows, int items) {
  const int64_t row = cuda::grid_row();
  if (row >= rows) return;
  const Unit* from = blockIdx.z == 0 ? t.k : t.v;
  Unit* to = blockIdx.z == 0 ? t.k_cache : t.v_cache;
  cuda::copy_items(from + row * items, to + t.slots[row] * static_cast<int64_t>(items), items);
}

}  // namespace ridge::kv_cache_write
