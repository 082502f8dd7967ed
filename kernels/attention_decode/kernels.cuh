#pragma once
#include "kernels/attention_decode/team.cuh"

// Flash-decoding. A block attends the query heads of one chunk of a group to one part of one cache,
// so that each row of K and V is read once for all of them. Its teams (team.cuh) take the rows in
// turn and are merged at the end. With more than one part, `merge_parts` merges those.
namespace ridge::attention_decode {

template <class T>
struct Tensors {
  const T *q, *k, *v;
  T* o;
  const int32_t* lengths;  // keys of each sequence; null: the context
  // With splits > 1: per row (batch, head) and part, the output not yet divided by the sum
  // [rows][splits][head_dim], the largest score and the sum [rows][splits][2].
  float *outputs, *stats;
};

struct Shape {
  int64_t context, cache_rows;  // of K and V between two caches: cache_rows
  int kv_heads;
  int group;     // query heads of a key head
  int head_dim;  // a multiple of 8
  int splits;
  float scale;  // log2(e) / √head_dim
};

// One warp's part of a block's result, in shared memory.
template <class Team>
struct WarpResult {
  float largest[Team::kHeads], sum[Team::kHeads];
  float output[Team::kHeads][Team::kColumns];
};

// Merges the teams of each warp and leaves the warp's result in `result`.
template <class Team>
__device__ __forceinline__ void merge_teams(Running<Team>& state, int lane,
                                            WarpResult<Team>& result) {
#pragma unroll
  for (int offset = Team::kHeadLanes / 2; offset > 0; offset /= 2)
    state.sum += __shfl_xor_sync(kAllLanes, state.sum, offset);
#pragma unroll
  for (int h = 0; h < Team::kHeads; ++h) {
    float largest = __shfl_sync(kAllLanes, state.largest, h * Team::kHeadLanes, Team::kRowLanes);
    float sum = __shfl_sync(kAllLanes, state.sum, h * Team::kHeadLanes, Team::kRowLanes);
#pragma unroll
    for (int offset = Team::kRowLanes; offset < 32; offset *= 2) {
      const float top = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, offset));
      const float factor = exp2f(largest - top);
      sum *= factor;
      sum += __shfl_xor_sync(kAllLanes, sum, offset);
#pragma unroll
      for (int c = 0; c < Running<Team>::kColumns; ++c) {
        state.output[h][c] *= factor;
        state.output[h][c] += __shfl_xor_sync(kAllLanes, state.output[h][c], offset);
      }
      largest = top;
    }
    if (threadIdx.x % 32 == 0) {
      result.largest[h] = largest;
      result.sum[h] = sum;
    }
    if (threadIdx.x % 32 < Team::kRowLanes)
#pragma unroll
      for (int c = 0; c < Running<Team>::kColumns; ++c) {
        const int p = c / Team::kWidth;
        result.output[h][(p * Team::kRowLanes + lane) * Team::kWidth + c % Team::kWidth] =
            state.output[h][c];
      }
  }
}

// The block's place in the grid [caches][chunks][splits].
template <class Team>
struct Place {
  int64_t cache, row;  // row of Q and O: the first of the chunk's heads
  int heads, split;

  __device__ explicit Place(const Shape& s) {
    const int chunks = (s.group + Team::kHeads - 1) / Team::kHeads;
    const int64_t block = blockIdx.x;
    const int first_head = static_cast<int>(block / s.splits % chunks) * Team::kHeads;
    split = static_cast<int>(block % s.splits);
    cache = block / s.splits / chunks;
    row = cache * s.group + first_head;
    heads = s.group - first_head < Team::kHeads ? s.group - first_head : Team::kHeads;
  }
};

// Merges the warps' results and writes them: to O, or to the scratch of this part.
template <class T, class Team>
__device__ __forceinline__ void write_result(const Tensors<T>& t, const Shape& s,
                                             const Place<Team>& place,
                                             const WarpResult<Team>* results) {
  constexpr int kWarps = kThreads / 32;
  for (int i = static_cast<int>(threadIdx.x); i < place.heads * s.head_dim; i += kThreads) {
    const int h = i / s.head_dim, column = i % s.head_dim;
    float top = results[0].largest[h];
    for (int w = 1; w < kWarps; ++w) top = fmaxf(top, results[w].largest[h]);
    float sum = 0, output = 0;
    for (int w = 0; w < kWarps; ++w) {
      const float factor = exp2f(results[w].largest[h] - top);
      sum += results[w].sum[h] * factor;
      output += results[w].output[h][column] * factor;
    }
    if (s.splits == 1) {
      t.o[(place.row + h) * s.head_dim + column] = cuda::from_float<T>(output / sum);
      continue;
    }
    const int64_t part = (place.row + h) * s.splits + place.split;
    t.outputs[part * s.head_dim + column] = output;
    if (column == 0) {
      t.stats[2 * part] = top;
      t.stats[2 * part + 1] = sum;
    }
  }
}

// Grid: caches · chunks of kHeads query heads · splits. Block: kThreads.
template <class T, class Own>
__global__ void __launch_bounds__(kThreads, Own::kBlocks) attend(Tensors<T> t, Shape s) {
  constexpr int kRowLanes = Own::kRowLanes, kPacks = Own::kPacks, kHeads = Own::kHeads;
  __shared__ WarpResult<Own> results[kThreads / 32];
  const Place<Own> place(s);
  const int team = static_cast<int>(threadIdx.x) / kRowLanes;
  const int lane = static_cast<int>(threadIdx.x) % kRowLanes;
  const int64_t keys = t.lengths ? t.lengths[place.cache / s.kv_heads] : s.context;
  const int64_t begin = keys * place.split / s.splits;
  const int64_t end = keys * (place.split + 1) / s.splits;
  const T* k_base = t.k + place.cache * s.cache_rows * s.head_dim;
  const T* v_base = t.v + place.cache * s.cache_rows * s.head_dim;

  float q[kHeads][kPacks * Own::kWidth];
#pragma unroll
  for (int h = 0; h < kHeads; ++h)
#pragma unroll
    for (int c = 0; c < kPacks * Own::kWidth; ++c) {
      const int column = (c / Own::kWidth * kRowLanes + lane) * Own::kWidth + c % Own::kWidth;
      q[h][c] = h < place.heads && column < s.head_dim
                    ? cuda::to_float(t.q[(place.row + h) * s.head_dim + column]) * s.scale
                    : 0.0f;
    }

  Running<Own> state;
  Rows<T, Own> k, v;
  if (begin < end) {
    k.load(k_base, begin, end, team, lane, s.head_dim);
    v.load(v_base, begin, end, team, lane, s.head_dim);
  }
  for (int64_t first = begin; first < end; first += keys_per_step<Own>()) {
    float scores[Own::kScores];
#pragma unroll
    for (int u = 0; u < Own::kKeys; ++u) {
      float x[kPacks * Own::kWidth];
      k.unpack(u, x);
#pragma unroll
      for (int h = 0; h < kHeads; ++h) {
        float dot = 0;
#pragma unroll
        for (int c = 0; c < kPacks * Own::kWidth; ++c) dot += q[h][c] * x[c];
        scores[h * Own::kKeys + u] = dot;
      }
    }
    // The next rows are on their way while these are used.
    const int64_t next = first + keys_per_step<Own>();
    if (next < end) k.load(k_base, next, end, team, lane, s.head_dim);
    scatter_sum<kRowLanes / 2, Own::kScores>(scores, lane);
    state.update(scores, first + team, end, lane);
    state.accumulate(scores, v);
    if (next < end) v.load(v_base, next, end, team, lane, s.head_dim);
  }
  merge_teams(state, lane, results[threadIdx.x / 32]);
  __syncthreads();
  write_result(t, s, place, results);
}

constexpr int kMergeThreads = 512;

// Grid: rows of O. Block: kMergeThreads, as 512 / kColumns slices of the parts.
template <class T, int kColumns>
__global__ void __launch_bounds__(kMergeThreads) merge_parts(Tensors<T> t, Shape s) {
  constexpr int kSlices = kMergeThreads / kColumns;
  __shared__ float sums[kSlices][kColumns], outputs[kSlices][kColumns];
  const int column = static_cast<int>(threadIdx.x) % kColumns;
  const int slice = static_cast<int>(threadIdx.x) / kColumns;
  const int64_t row = blockIdx.x;
  const float* stats = t.stats + row * s.splits * 2;
  float top = stats[0];
  for (int i = 1; i < s.splits; ++i) top = fmaxf(top, stats[2 * i]);
  float sum = 0, output = 0;
#pragma unroll 4
  for (int i = slice; i < s.splits; i += kSlices) {
    const float factor = exp2f(stats[2 * i] - top);
    sum += stats[2 * i + 1] * factor;
    if (column < s.head_dim)
      output += t.outputs[(row * s.splits + i) * s.head_dim + column] * factor;
  }
  sums[slice][column] = sum;
  outputs[slice][column] = output;
  __syncthreads();
  if (slice > 0 || column >= s.head_dim) return;
  for (int i = 1; i < kSlices; ++i) {
    sum += sums[i][column];
    output += outputs[i][column];
  }
  t.o[row * s.head_dim + column] = cuda::from_float<T>(output / sum);
}

// Calls f with the Team for the shape. f32
// needs twice the lanes of the 16-bit types and takes only the widest team.
template <class T, int kHeads, class F>
decltype(auto) with_row_lanes(int head_dim, F&& f) {
  if constexpr (sizeof(T) == 4) {
    if (head_dim > 128) return f(Team<T, 32, 2, kHeads>{});
    return f(Team<T, 32, 1, kHeads>{});
  } else {
    if (head_dim > 128) return f(Team<T, 32, 1, kHeads>{});
    if (head_dim > 64) return f(Team<T, 16, 1, kHeads>{});
    return f(Team<T, 8, 1, kHeads>{});
  }
}

template <class T, class F>
decltype(auto) with_instance(int group, int head_dim, F&& f) {
  if (group > 4) return with_row_lanes<T, 8>(head_dim, f);
  if (group > 2) return with_row_lanes<T, 4>(head_dim, f);
  if (group > 1) return with_row_lanes<T, 2>(head_dim, f);
  return with_row_lanes<T, 1>(head_dim, f);
}

}  // namespace ridge::attention_decode
