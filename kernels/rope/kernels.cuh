#pragma once
#include "kernels/cuda/vector.cuh"
#include "kernels/kv_cache_write/row_grid.cuh"

namespace ridge::rope {

template <class T>
struct Tensors {
  const T* x;                // [rows, heads, 2 · half]
  const int32_t* positions;  // [rows]
  const float* cos_sin;      // [positions, 2 · half]
  T* y;                      // [rows, heads, 2 · half]
};

// Turns kWidth neighbours of the first half of a head with their partners in the second. kWidth is
// Pack<T>::kCount where that divides half, else 1.
template <int kWidth, class T>
__device__ inline void turn(const T* x, const float* cosine, const float* sine, T* y, int half) {
  if constexpr (kWidth == 1) {
    const float low = cuda::to_float(x[0]), high = cuda::to_float(x[half]);
    y[0] = cuda::from_float<T>(low * cosine[0] - high * sine[0]);
    y[half] = cuda::from_float<T>(high * cosine[0] + low * sine[0]);
  } else {
    const cuda::Pack<T> low = cuda::load_pack(x), high = cuda::load_pack(x + half);
    cuda::Pack<T> y_low, y_high;
#pragma unroll
    for (int f = 0; f < kWidth; f += 4) {
      const cuda::Pack<float> c = cuda::load_pack(cosine + f), s = cuda::load_pack(sine + f);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float a = cuda::to_float(low.v[f + i]), b = cuda::to_float(high.v[f + i]);
        y_low.v[f + i] = cuda::from_float<T>(a * c.v[i] - b * s.v[i]);
        y_high.v[f + i] = cuda::from_float<T>(b * c.v[i] + a * s.v[i]);
      }
    }
    cuda::store_pack(y, y_low);
    cuda::store_pack(y + half, y_high);
  }
}

// On a row_grid() of heads · half / kWidth items a row.
template <int kWidth, class T>
__global__ void __launch_bounds__(cuda::kRowThreads)
    rope(Tensors<T> t, int64_t rows, int heads, int half) {
  const int64_t row = cuda::grid_row();
  if (row >= rows) return;
  const auto per_head = static_cast<unsigned>(half / kWidth);
  const int items = heads * static_cast<int>(per_head);
  const float* cosine = t.cos_sin + static_cast<int64_t>(t.positions[row]) * (2 * half);
  const int64_t first = row * heads * (2 * half);
#pragma unroll
  for (int i = 0; i < cuda::kItemsPerThread; ++i) {
    const int item = cuda::grid_item(i);
    if (item >= items) return;
    const int head = static_cast<int>(static_cast<unsigned>(item) / per_head);
    const int j = static_cast<int>(static_cast<unsigned>(item) % per_head) * kWidth;
    const int64_t at = first + static_cast<int64_t>(head) * (2 * half) + j;
    turn<kWidth>(t.x + at, cosine + j, cosine + half + j, t.y + at, half);
  }
}

}  // namespace ridge::rope
