#pragma once
#include "kernels/cuda/vector.cuh"

// Causal grouped-query attention without tensor cores: for f32, and for GPUs that cuDNN's fused
// attention does not run on.
namespace ridge::attention_prefill {

constexpr int kThreads = 128;
constexpr float kLowest = -1e30f;  // finite, so that differences are never NaN

template <class T>
struct Tensors {
  const T *q, *k, *v;
  T* o;
};

struct Shape {
  int64_t seq, kv_len, cache_rows;  // of K and V between two heads: cache_rows
  int heads, group, head_dim;       // group = heads / kv_heads
  float scale;                      // log2(e) / √head_dim
};

// kRows queries of one head against kKeys keys at a time. Threads stand in a grid of 16 × 8: thread
// (y, x) has the rows y + 16 i, of the scores the keys x + 8 j, of the output the 16-byte packs of
// columns x + 8 p.
template <class T, int kRows_, int kKeys_, int kPacks_>
struct Tile {
  static constexpr int kRows = kRows_, kKeys = kKeys_, kPacks = kPacks_;
  static constexpr int kOwnRows = kRows / 16, kOwnKeys = kKeys / 8;
  static constexpr int kWidth = cuda::Pack<T>::kCount;

  // Rows in shared memory are padded by 16 bytes, which keeps x's rows in different banks.
  __host__ __device__ static int stride(int head_dim) { return head_dim + kWidth; }
  static constexpr int kWeightStride = kKeys + 1;
  static std::size_t shared_bytes(int head_dim) {
    return sizeof(T) * static_cast<std::size_t>((kRows + kKeys) * stride(head_dim)) +
           sizeof(float) * kRows * kWeightStride;
  }
};

// Copies `rows` rows of `head_dim` with the given stride in memory; rows past `valid` become 0.
template <class Tile, class T>
__device__ __forceinline__ void copy_rows(T* shared, const T* memory, int64_t memory_stride,
                                          int rows, int64_t valid, int head_dim) {
  const int packs = head_dim / Tile::kWidth;
  for (int i = static_cast<int>(threadIdx.x); i < rows * packs; i += kThreads) {
    const int row = i / packs, column = i % packs * Tile::kWidth;
    const auto pack =
        row < valid ? cuda::load_pack(memory + row * memory_stride + column) : cuda::Pack<T>{};
    cuda::store_pack(shared + row * Tile::stride(head_dim) + column, pack);
  }
}

template <class Tile>
struct State {
  float output[Tile::kOwnRows][Tile::kPacks * Tile::kWidth] = {};
  float largest[Tile::kOwnRows], sum[Tile::kOwnRows] = {};
  int64_t visible[Tile::kOwnRows];  // keys that each row sees

  __device__ __forceinline__ State(const Shape& s, int64_t first_row, int y) {
#pragma unroll
    for (int i = 0; i < Tile::kOwnRows; ++i) {
      largest[i] = kLowest;
      visible[i] = s.kv_len - s.seq + first_row + y + 16 * i + 1;
    }
  }
};

// scores = scale · Q · K^T for this thread's rows and keys.
template <class Tile, class T>
__device__ __forceinline__ void multiply_keys(const T* queries, const T* keys, const Shape& s,
                                              int y, int x,
                                              float (&scores)[Tile::kOwnRows][Tile::kOwnKeys]) {
  const int stride = Tile::stride(s.head_dim);
#pragma unroll
  for (int i = 0; i < Tile::kOwnRows; ++i)
#pragma unroll
    for (int j = 0; j < Tile::kOwnKeys; ++j) scores[i][j] = 0;
  for (int column = 0; column < s.head_dim; column += Tile::kWidth) {
    cuda::Pack<T> k[Tile::kOwnKeys];
#pragma unroll
    for (int j = 0; j < Tile::kOwnKeys; ++j)
      k[j] = cuda::load_pack(keys + (x + 8 * j) * stride + column);
#pragma unroll
    for (int i = 0; i < Tile::kOwnRows; ++i) {
      const auto q = cuda::load_pack(queries + (y + 16 * i) * stride + column);
#pragma unroll
      for (int j = 0; j < Tile::kOwnKeys; ++j)
#pragma unroll
        for (int e = 0; e < Tile::kWidth; ++e)
          scores[i][j] += cuda::to_float(q.v[e]) * cuda::to_float(k[j].v[e]);
    }
  }
#pragma unroll
  for (int i = 0; i < Tile::kOwnRows; ++i)
#pragma unroll
    for (int j = 0; j < Tile::kOwnKeys; ++j) scores[i][j] *= s.scale;
}

// Brings the running softmax up to date and leaves the weights of the tile in `weights`. The eight
// threads of a row are neighbours in a warp.
template <class Tile>
__device__ __forceinline__ void soften(State<Tile>& state, int64_t first_key, int y, int x,
                                       const float (&scores)[Tile::kOwnRows][Tile::kOwnKeys],
                                       float* weights) {
#pragma unroll
  for (int i = 0; i < Tile::kOwnRows; ++i) {
    float top = state.largest[i];
#pragma unroll
    for (int j = 0; j < Tile::kOwnKeys; ++j)
      if (first_key + x + 8 * j < state.visible[i]) top = fmaxf(top, scores[i][j]);
    for (int offset = 4; offset > 0; offset /= 2)
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, offset));
    const float factor = exp2f(state.largest[i] - top);
    state.largest[i] = top;
    state.sum[i] *= factor;
#pragma unroll
    for (int c = 0; c < Tile::kPacks * Tile::kWidth; ++c) state.output[i][c] *= factor;
#pragma unroll
    for (int j = 0; j < Tile::kOwnKeys; ++j) {
      const bool seen = first_key + x + 8 * j < state.visible[i];
      const float w = seen ? exp2f(scores[i][j] - top) : 0.0f;
      state.sum[i] += w;
      weights[(y + 16 * i) * Tile::kWeightStride + x + 8 * j] = w;
    }
  }
}

template <class Tile, class T>
__device__ __forceinline__ void multiply_values(State<Tile>& state, const T* values,
                                                const float* weights, int head_dim, int y, int x) {
  for (int key = 0; key < Tile::kKeys; ++key) {
    float w[Tile::kOwnRows];
#pragma unroll
    for (int i = 0; i < Tile::kOwnRows; ++i)
      w[i] = weights[(y + 16 * i) * Tile::kWeightStride + key];
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
      const int column = (x + 8 * p) * Tile::kWidth;
      if (column >= head_dim) break;
      const auto v = cuda::load_pack(values + key * Tile::stride(head_dim) + column);
#pragma unroll
      for (int i = 0; i < Tile::kOwnRows; ++i)
#pragma unroll
        for (int e = 0; e < Tile::kWidth; ++e)
          state.output[i][p * Tile::kWidth + e] += w[i] * cuda::to_float(v.v[e]);
    }
  }
}

template <class Tile, class T>
__device__ __forceinline__ void write_rows(State<Tile>& state, T* o, const Shape& s,
                                           int64_t first_row, int y, int x) {
#pragma unroll
  for (int i = 0; i < Tile::kOwnRows; ++i) {
    for (int offset = 4; offset > 0; offset /= 2)
      state.sum[i] += __shfl_xor_sync(0xffffffffu, state.sum[i], offset);
    const int64_t row = first_row + y + 16 * i;
    if (row >= s.seq) continue;
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
      const int column = (x + 8 * p) * Tile::kWidth;
      if (column >= s.head_dim) break;
      cuda::Pack<T> pack;
#pragma unroll
      for (int e = 0; e < Tile::kWidth; ++e)
        pack.v[e] = cuda::from_float<T>(state.output[i][p * Tile::kWidth + e] / state.sum[i]);
      cuda::store_pack(o + row * s.heads * s.head_dim + column, pack);
    }
  }
}

// Grid: batch · heads · tiles of kRows queries. Block: kThreads. Dynamic shared memory:
// Tile::shared_bytes(head_dim).
template <class T, class Own>
__global__ void __launch_bounds__(kThreads) attend(Tensors<T> t, Shape s) {
  constexpr int kRows = Own::kRows, kKeys = Own::kKeys;
  T* queries = cuda::dynamic_shared<T>();
  T* tile = queries + kRows * Own::stride(s.head_dim);  // of K, then of V
  float* weights = reinterpret_cast<float*>(tile + kKeys * Own::stride(s.head_dim));
  const int64_t tiles = (s.seq + kRows - 1) / kRows;
  const int64_t batch_head = blockIdx.x / tiles;
  const int64_t batch = batch_head / s.heads, head = batch_head % s.heads;
  // The last queries see the most keys: the longest blocks start first.
  const int64_t first_row = (tiles - 1 - blockIdx.x % tiles) * kRows;
  const int y = static_cast<int>(threadIdx.x) / 8, x = static_cast<int>(threadIdx.x) % 8;
  const int64_t row_stride = static_cast<int64_t>(s.heads) * s.head_dim;
  const int64_t q_offset = (batch * s.seq * s.heads + head) * s.head_dim;
  const int64_t cache = batch * (s.heads / s.group) + head / s.group;
  const int64_t kv_offset = cache * s.cache_rows * s.head_dim;

  copy_rows<Own>(queries, t.q + q_offset + first_row * row_stride, row_stride, kRows,
                 s.seq - first_row, s.head_dim);
  State<Own> state(s, first_row, y);
  const int64_t last_row = first_row + kRows < s.seq ? first_row + kRows : s.seq;
  const int64_t end = s.kv_len - s.seq + last_row;
  for (int64_t key = 0; key < end; key += kKeys) {
    float scores[Own::kOwnRows][Own::kOwnKeys];
    __syncthreads();  // the last tile of V has been used
    copy_rows<Own>(tile, t.k + kv_offset + key * s.head_dim, s.head_dim, kKeys, s.kv_len - key,
                   s.head_dim);
    __syncthreads();
    multiply_keys<Own>(queries, tile, s, y, x, scores);
    __syncthreads();
    copy_rows<Own>(tile, t.v + kv_offset + key * s.head_dim, s.head_dim, kKeys, s.kv_len - key,
                   s.head_dim);
    soften(state, key, y, x, scores, weights);
    __syncthreads();
    multiply_values<Own>(state, tile, weights, s.head_dim, y, x);
  }
  write_rows<Own>(state, t.o + q_offset, s, first_row, y, x);
}

// Calls f with the Tile for the shape; all fit the
// 64 KiB of shared memory that a block has on sm_75.
template <class T, class F>
decltype(auto) with_instance(int head_dim, F&& f) {
  if constexpr (sizeof(T) == 4) {
    if (head_dim > 128) return f(Tile<T, 32, 16, 8>{});
    if (head_dim > 64) return f(Tile<T, 64, 32, 4>{});
    return f(Tile<T, 64, 32, 2>{});
  } else {
    if (head_dim > 128) return f(Tile<T, 64, 32, 4>{});
    if (head_dim > 64) return f(Tile<T, 64, 32, 2>{});
    return f(Tile<T, 64, 32, 1>{});
  }
}

// The rows of scores that one product wrote: row i of `rows` in each of the grid's y matrices.
struct ScoreRows {
  int rows;
  int64_t stride;         // elements of a row, a multiple of 8; what no key belongs to becomes 0
  int64_t first_visible;  // keys that row 0 sees; each further row sees one more
};

constexpr int kSoftmaxThreads = 256;

template <class F>
__device__ __forceinline__ float reduce_block(float value, float* shared, F combine) {
  for (int offset = 16; offset > 0; offset /= 2)
    value = combine(value, __shfl_xor_sync(0xffffffffu, value, offset));
  __syncthreads();  // a former reduction has been read
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  value = shared[0];
  for (int w = 1; w < kSoftmaxThreads / 32; ++w) value = combine(value, shared[w]);
  return value;
}

// Scores in units of log2 become weights that sum to 1, in place. Grid: (rows, matrices).
template <class T>
__global__ void __launch_bounds__(kSoftmaxThreads) softmax_visible(T* scores, ScoreRows s) {
  __shared__ float shared[kSoftmaxThreads / 32];
  constexpr int kWidth = cuda::Pack<T>::kCount;
  T* row = scores + (static_cast<int64_t>(blockIdx.y) * s.rows + blockIdx.x) * s.stride;
  const int64_t visible = s.first_visible + blockIdx.x;
  float top = kLowest;
  for (int64_t i = threadIdx.x * kWidth; i < visible; i += kSoftmaxThreads * kWidth) {
    const auto pack = cuda::load_pack(row + i);
#pragma unroll
    for (int e = 0; e < kWidth; ++e)
      if (i + e < visible) top = fmaxf(top, cuda::to_float(pack.v[e]));
  }
  top = reduce_block(top, shared, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
  for (int64_t i = threadIdx.x * kWidth; i < visible; i += kSoftmaxThreads * kWidth) {
    const auto pack = cuda::load_pack(row + i);
#pragma unroll
    for (int e = 0; e < kWidth; ++e)
      if (i + e < visible) sum += exp2f(cuda::to_float(pack.v[e]) - top);
  }
  sum = reduce_block(sum, shared, [](float a, float b) { return a + b; });
  for (int64_t i = threadIdx.x * kWidth; i < s.stride; i += kSoftmaxThreads * kWidth) {
    auto pack = cuda::load_pack(row + i);
#pragma unroll
    for (int e = 0; e < kWidth; ++e) {
      const float w = i + e < visible ? exp2f(cuda::to_float(pack.v[e]) - top) / sum : 0.0f;
      pack.v[e] = cuda::from_float<T>(w);
    }
    cuda::store_pack(row + i, pack);
  }
}

}  // namespace ridge::attention_prefill
