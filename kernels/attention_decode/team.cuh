#pragma once
#include "kernels/cuda/vector.cuh"

// A team of lanes attends the query heads of one chunk to one row of K and V after the other: each
// lane has 16 bytes of the row (kPacks times), and the team keeps its running softmax and output in
// registers.
namespace ridge::attention_decode {

constexpr int kThreads = 128;
constexpr unsigned kAllLanes = 0xffffffffu;

// What a team of kRowLanes lanes works with in registers.
template <class T, int kRowLanes_, int kPacks_, int kHeads_>
struct Team {
  static constexpr int kRowLanes = kRowLanes_, kPacks = kPacks_, kHeads = kHeads_;
  static constexpr int kWidth = cuda::Pack<T>::kCount;
  static constexpr int kTeams = kThreads / kRowLanes;
  static constexpr int kColumns = kRowLanes * kPacks * kWidth;
  // Keys a team takes at a time: fewer where more heads need registers.
  static constexpr int kKeys = (kHeads >= 8 ? 2 : 4) / kPacks;
  // That an SM should hold, so that enough loads are in flight: each has 16 KiB of K and V, or 8
  // where kKeys is 2. One more would spill registers.
  static constexpr int kBlocks = kHeads >= 8 ? 2 : kHeads == 4 ? 3 : 4;
  static constexpr int kScores = kHeads * kKeys;
  // After the reduction a lane holds kValues scores of one head, or `kCopies` lanes hold the same.
  static constexpr int kValues = kScores >= kRowLanes ? kScores / kRowLanes : 1;
  static constexpr int kCopies = kScores >= kRowLanes ? 1 : kRowLanes / kScores;
  static constexpr int kHeadLanes = kRowLanes / kHeads;
  static_assert(kHeads <= kRowLanes && kValues <= kKeys);
};

template <class Team>
constexpr int keys_per_step() {
  return Team::kTeams * Team::kKeys;
}

// Sums each of kCount values over the lanes of a team and spreads the sums over them: with every
// exchange a lane keeps one half of its values and hands the other to its partner.
template <int kOffset, int kCount, int kSize>
__device__ __forceinline__ void scatter_sum(float (&values)[kSize], int lane) {
  if constexpr (kOffset > 0) {
    if constexpr (kCount > 1) {
      const bool upper = (lane & kOffset) != 0;
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) {
        const float give = upper ? values[i] : values[i + kCount / 2];
        const float keep = upper ? values[i + kCount / 2] : values[i];
        values[i] = keep + __shfl_xor_sync(kAllLanes, give, kOffset);
      }
      scatter_sum<kOffset / 2, kCount / 2>(values, lane);
    } else {
      values[0] += __shfl_xor_sync(kAllLanes, values[0], kOffset);
      scatter_sum<kOffset / 2, 1>(values, lane);
    }
  }
}

template <class T, class Team>
struct Rows {
  cuda::Pack<T> pack[Team::kKeys][Team::kPacks];

  // Rows first + team, first + team + kTeams, …; those past the end repeat the last.
  __device__ __forceinline__ void load(const T* base, int64_t first, int64_t end, int team,
                                       int lane, int head_dim) {
#pragma unroll
    for (int u = 0; u < Team::kKeys; ++u) {
      int64_t key = first + u * Team::kTeams + team;
      key = key < end ? key : end - 1;
#pragma unroll
      for (int p = 0; p < Team::kPacks; ++p) {
        const int column = (p * Team::kRowLanes + lane) * Team::kWidth;
        pack[u][p] =
            column < head_dim ? cuda::load_pack(base + key * head_dim + column) : cuda::Pack<T>{};
      }
    }
  }

  __device__ __forceinline__ void unpack(int u, float (&x)[Team::kPacks * Team::kWidth]) const {
#pragma unroll
    for (int p = 0; p < Team::kPacks; ++p)
#pragma unroll
      for (int i = 0; i < Team::kWidth; ++i)
        x[p * Team::kWidth + i] = cuda::to_float(pack[u][p].v[i]);
  }
};

// The running softmax of a team. `largest` and `sum` are of the head that this lane stands for.
template <class Team>
struct Running {
  static constexpr int kColumns = Team::kPacks * Team::kWidth;  // of this lane
  static constexpr float kLowest = -1e30f;  // finite, so that differences are never NaN
  float output[Team::kHeads][kColumns] = {};
  float largest = kLowest, sum = 0;

  // `scores`: this lane's own, of keys first + u · kTeams. They become weights.
  __device__ __forceinline__ void update(float (&scores)[Team::kScores], int64_t first, int64_t end,
                                         int lane) {
    const int own = Team::kCopies > 1 ? lane / Team::kCopies : lane * Team::kValues;
    bool valid[Team::kValues];
    float top = largest;
#pragma unroll
    for (int i = 0; i < Team::kValues; ++i) {
      valid[i] = first + (own + i) % Team::kKeys * Team::kTeams < end;
      if (valid[i]) top = fmaxf(top, scores[i]);
    }
#pragma unroll
    for (int offset = Team::kHeadLanes / 2; offset > 0; offset /= 2)
      top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, offset));
    const float factor = exp2f(largest - top);
    if (__any_sync(kAllLanes, top > largest)) {
#pragma unroll
      for (int h = 0; h < Team::kHeads; ++h) {
        const float f = __shfl_sync(kAllLanes, factor, h * Team::kHeadLanes, Team::kRowLanes);
#pragma unroll
        for (int c = 0; c < kColumns; ++c) output[h][c] *= f;
      }
      sum *= factor;
      largest = top;
    }
#pragma unroll
    for (int i = 0; i < Team::kValues; ++i) {
      scores[i] = valid[i] ? exp2f(scores[i] - top) : 0.0f;
      if (lane % Team::kCopies == 0) sum += scores[i];
    }
  }

  template <class T>
  __device__ __forceinline__ void accumulate(const float (&weights)[Team::kScores],
                                             const Rows<T, Team>& v) {
#pragma unroll
    for (int u = 0; u < Team::kKeys; ++u) {
      float x[kColumns];
      v.unpack(u, x);
#pragma unroll
      for (int h = 0; h < Team::kHeads; ++h) {
        const int at = h * Team::kKeys + u;  // which lane has it, and where
        const float w = __shfl_sync(kAllLanes, weights[at % Team::kValues],
                                    at / Team::kValues * Team::kCopies, Team::kRowLanes);
#pragma unroll
        for (int c = 0; c < kColumns; ++c) output[h][c] += w * x[c];
      }
    }
  }
};

}  // namespace ridge::attention_decode
