#pragma once
#include "kernels/cuda/row.cuh"
#include "kernels/norm/norm.h"

namespace ridge::norm {

using cuda::Pack;
using cuda::Reuse;

enum class Norm { kRms, kAddRms, kLayer };

template <class T>
struct Tensors {
  const T *x, *residual, *w, *bias;
  T *y, *sum;
  int64_t rows, cols;
  float epsilon;
};

// x, or x + residual rounded as it is stored.
template <Norm norm, Reuse reuse, class T>
__device__ inline Pack<T> load_value(const Tensors<T>& t, const cuda::RowPacks<T>& row, int pack) {
  const T zero = cuda::from_float<T>(0.0f);
  Pack<T> v = row.template load<reuse>(t.x, pack, zero);
  if constexpr (norm == Norm::kAddRms) {
    const Pack<T> r = row.template load<reuse>(t.residual, pack, zero);
#pragma unroll
    for (int i = 0; i < Pack<T>::kCount; ++i)
      v.v[i] = cuda::from_float<T>(cuda::to_float(v.v[i]) + cuda::to_float(r.v[i]));
  }
  return v;
}

// Σ (v − mean)² over the pack's elements that are in the row.
template <class T>
__device__ inline float squares(const Pack<T>& p, const cuda::RowPacks<T>& row, int pack,
                                float mean) {
  float sum = 0;
  const bool whole = row.whole(pack);
#pragma unroll
  for (int i = 0; i < Pack<T>::kCount; ++i) {
    const float d = cuda::to_float(p.v[i]) - mean;
    if (whole || row.inside(row.column(pack) + i)) sum += d * d;
  }
  return sum;
}

template <Norm norm, Reuse reuse, class T>
__device__ inline void write(const Tensors<T>& t, const cuda::RowPacks<T>& row, int pack,
                             const Pack<T>& v, float mean, float factor) {
  const Pack<T> w = row.load_vector(t.w, pack);
  Pack<T> b = w, y;
  if constexpr (norm == Norm::kLayer) b = row.load_vector(t.bias, pack);
#pragma unroll
  for (int i = 0; i < Pack<T>::kCount; ++i) {
    float scaled = (cuda::to_float(v.v[i]) - mean) * factor * cuda::to_float(w.v[i]);
    if constexpr (norm == Norm::kLayer) scaled += cuda::to_float(b.v[i]);
    y.v[i] = cuda::from_float<T>(scaled);
  }
  row.template store<reuse>(t.y, pack, y);
  if constexpr (norm == Norm::kAddRms) row.template store<reuse>(t.sum, pack, v);
}

// Launched by cuda::row_launch. kPacks: its `packs`; with 0 the row is read again for each pass.
template <Norm norm, class T, int kPacks, Reuse reuse>
__global__ void __launch_bounds__(1024) normalise(Tensors<T> t) {
  const int64_t r = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= t.rows) return;  // whole warps, each with a row of its own
  const cuda::RowPacks<T> row(r, t.cols);
  const int threads = static_cast<int>(blockDim.x), first = static_cast<int>(threadIdx.x);
  constexpr int kKept = kPacks > 0 ? kPacks : 1;
  Pack<T> kept[kKept];
  if constexpr (kPacks > 0) {
#pragma unroll
    for (int s = 0; s < kPacks; ++s) kept[s] = load_value<norm, reuse>(t, row, first + s * threads);
  }
  // Calls f(pack, its values) for each of this thread's packs.
  auto for_packs = [&](auto f) {
    if constexpr (kPacks > 0) {
#pragma unroll
      for (int s = 0; s < kPacks; ++s) f(first + s * threads, kept[s]);
    } else {
#pragma unroll 4
      for (int p = first; p < row.packs; p += threads)
        f(p, load_value<norm, Reuse::kCached>(t, row, p));
    }
  };

  const float cols = static_cast<float>(t.cols);
  float mean = 0;
  if constexpr (norm == Norm::kLayer) {
    float sum = 0;
    for_packs([&](int, const Pack<T>& v) {
#pragma unroll
      for (int i = 0; i < Pack<T>::kCount; ++i) sum += cuda::to_float(v.v[i]);
    });
    mean = cuda::reduce_row(sum, cuda::Sum{}, 0.0f) / cols;
  }
  float sum = 0;
  for_packs([&](int pack, const Pack<T>& v) { sum += squares(v, row, pack, mean); });
  const float mean_square = cuda::reduce_row(sum, cuda::Sum{}, 0.0f) / cols;
  const float factor = rsqrtf(mean_square + t.epsilon);
  for_packs([&](int pack, const Pack<T>& v) {
    if (pack < row.packs) write<norm, reuse>(t, row, pack, v, mean, factor);
  });
}

}  // namespace ridge::norm
