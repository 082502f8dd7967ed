#pragma once
#include "kernels/cuda/vector.cuh"

// For kernels that work on whole rows of a row-major tensor, a warp or a block to each.
namespace ridge::cuda {

// A row as the 16-byte packs of memory that hold it, whatever its alignment: the first and the last
// pack may belong to the neighbours in part. The tensor starts 16-byte aligned.
template <class T>
struct RowPacks {
  static constexpr int kCount = Pack<T>::kCount;
  int64_t first;  // the row's first element in the tensor
  int64_t cols;
  int shift;  // elements of the row before in its first pack
  int packs;

  __device__ RowPacks(int64_t row, int64_t columns)
      : first(row * columns),
        cols(columns),
        shift(static_cast<int>(first % kCount)),
        packs(static_cast<int>((shift + columns + kCount - 1) / kCount)) {}

  __device__ int64_t column(int pack) const { return static_cast<int64_t>(pack) * kCount - shift; }
  __device__ bool whole(int pack) const {
    return column(pack) >= 0 && column(pack) + kCount <= cols;
  }
  __device__ bool inside(int64_t c) const { return c >= 0 && c < cols; }

  // Elements outside the row, and of packs past its end, read as `missing`.
  template <Reuse reuse>
  __device__ Pack<T> load(const T* tensor, int pack, T missing) const {
    if (whole(pack)) return load_pack_as<reuse>(tensor + first + column(pack));
    Pack<T> p;
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      p.v[i] = inside(column(pack) + i) ? tensor[first + column(pack) + i] : missing;
    return p;
  }
  template <Reuse reuse>
  __device__ void store(T* tensor, int pack, const Pack<T>& value) const {
    if (whole(pack)) {
      store_pack_as<reuse>(tensor + first + column(pack), value);
      return;
    }
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      if (inside(column(pack) + i)) tensor[first + column(pack) + i] = value.v[i];
  }
  // Of a vector as long as a row (weights), the elements that go with a pack.
  __device__ Pack<T> load_vector(const T* vector, int pack) const {
    if (shift == 0 && whole(pack)) return load_pack(vector + column(pack));
    Pack<T> p;
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      p.v[i] = inside(column(pack) + i) ? vector[column(pack) + i] : from_float<T>(0.0f);
    return p;
  }
};

// Combines a value of each of the blockDim.x threads of a row: a multiple of 32, and where it is
// more than 32, the block has one row. Every thread gets the result.
template <class F>
__device__ inline float reduce_row(float value, F combine, float identity) {
  for (int lanes = 16; lanes > 0; lanes /= 2)
    value = combine(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  if (blockDim.x == 32) return value;
  __shared__ float partial[32];
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  __syncthreads();  // the reduction before this one may still be read
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  value = lane < static_cast<int>(blockDim.x / 32) ? partial[lane] : identity;
  for (int lanes = 16; lanes > 0; lanes /= 2)
    value = combine(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  return value;
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Largest {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// How rows are dealt to threads. `packs` are held in the registers of each thread between the
// passes over its row; 0: the row is too wide for that and is read again, from the L2 if it fits.
struct RowLaunch {
  dim3 grid, block;
  int packs = 0;
};

// `elements_per_pack`: Pack<T>::kCount. `multiprocessors` decides what few rows are: those are for
// latency, so more threads work on each.
inline RowLaunch row_launch(int64_t rows, int64_t cols, int elements_per_pack,
                            int multiprocessors) {
  const int64_t packs = cols / elements_per_pack + (cols % elements_per_pack ? 2 : 0);
  const bool few = rows <= 4 * int64_t{multiprocessors};
  RowLaunch launch;
  if (packs <= 32 * (few ? 2 : 4)) {
    const unsigned rows_per_block = few ? 1 : 8;
    launch.block = dim3(32, rows_per_block);
    launch.grid = dim3(static_cast<unsigned>((rows + rows_per_block - 1) / rows_per_block));
    launch.packs = packs <= 32 ? 1 : packs <= 64 ? 2 : 4;
    return launch;
  }
  const int64_t wanted = few ? 1 : 4;
  int64_t threads = 64;
  while (threads < 1024 && threads * wanted < packs) threads *= 2;
  launch.block = dim3(static_cast<unsigned>(threads));
  launch.grid = dim3(static_cast<unsigned>(rows));
  launch.packs = packs <= threads ? 1 : packs <= 2 * threads ? 2 : packs <= 4 * threads ? 4 : 0;
  return launch;
}

}  // namespace ridge::cuda
