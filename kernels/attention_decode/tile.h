#pragma once
#include <cstring>

#include "kernels/attention_prefill/vectors.h"

// The two products of decode attention over a tile of K or V rows, each row loaded once for up to
// four query heads. For cpu.cpp only.
namespace ridge::attention_decode {

using simd::kLanes;
using Vec = simd::Floats;

constexpr int kKeys = 64;  // rows of a tile: 32 KiB at head_dim 128; the stride of scores

// How far ahead of a product its rows are asked for: into the nearest cache, so that few of the
// multiply-adds in flight wait, and in the order of memory, so that the core's own prefetchers
// follow. Where one tile ends the next one of the same tensor is asked for, to be met a tile later.
constexpr int64_t kAheadK = 1024, kAheadV = 2048;
inline void fetch(const float* p) { __builtin_prefetch(p, 0, 3); }

// scores[h][j] = queries[h] · K[j] for kHeads heads and as many rows of K as make one vector of
// scores. `first` says that no other heads came before with these rows.
template <int kHeads>
void dot(const float* queries, const float* k, bool first, int64_t head_dim, float* scores) {
  constexpr int kRows = kLanes / kHeads;
  simd::Vecs<kLanes> sums{};
  int64_t i = 0;
  for (; i + kLanes <= head_dim; i += kLanes) {
    simd::Vecs<kHeads> q;
    for (int h = 0; h < kHeads; ++h) q[h] = simd::load(queries + h * head_dim + i);
    for (int j = 0; j < kRows; ++j) {
      const Vec row = simd::load(k + j * head_dim + i);
      if (first) fetch(k + j * head_dim + i + kAheadK);
      for (int h = 0; h < kHeads; ++h) sums[h * kRows + j] += q[h] * row;
    }
  }
  if (i < head_dim)
    for (int j = 0; j < kRows; ++j) {
      const Vec row = simd::load_tail(k + j * head_dim + i);
      for (int h = 0; h < kHeads; ++h)
        sums[h * kRows + j] += simd::load_tail(queries + h * head_dim + i) * row;
    }
  const Vec all = simd::sums_of(sums);
  for (int h = 0; h < kHeads; ++h)
    std::memcpy(scores + h * kKeys, reinterpret_cast<const float*>(&all) + h * kRows,
                kRows * sizeof(float));
}

inline float dot_one(const float* q, const float* k, int64_t head_dim) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < head_dim; ++i) sum += q[i] * k[i];
  return sum;
}

template <int kHeads>
void score_heads(const float* queries, const float* k, bool first, int64_t keys, int64_t head_dim,
                 float* scores) {
  constexpr int kRows = kLanes / kHeads;
  int64_t j = 0;
  for (; j + kRows <= keys; j += kRows)
    dot<kHeads>(queries, k + j * head_dim, first, head_dim, scores + j);
  for (; j < keys; ++j)
    for (int h = 0; h < kHeads; ++h)
      scores[h * kKeys + j] = dot_one(queries + h * head_dim, k + j * head_dim, head_dim);
}

inline void score(const float* queries, const float* k, int64_t heads, int64_t keys,
                  int64_t head_dim, float* scores) {
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4)
    score_heads<4>(queries + h * head_dim, k, h == 0, keys, head_dim, scores + h * kKeys);
  for (; h + 2 <= heads; h += 2)
    score_heads<2>(queries + h * head_dim, k, h == 0, keys, head_dim, scores + h * kKeys);
  for (; h < heads; ++h)
    score_heads<1>(queries + h * head_dim, k, h == 0, keys, head_dim, scores + h * kKeys);
}

// Rows of V, the scores of their keys, and whether no other heads came before with these rows.
struct Values {
  const float *scores, *v;
  bool first;
  int64_t keys, head_dim;
};

// output[h][i …] += Σ_j scores[h][j] · V[j][i …] for kHeads heads and kCount vectors of features.
template <int kHeads, int kCount>
void accumulate_block(const Values& s, int64_t i, float* output) {
  simd::Vecs<kHeads * kCount> sums;
  for (int h = 0; h < kHeads; ++h)
    for (int c = 0; c < kCount; ++c)
      sums[h * kCount + c] = simd::load(output + h * s.head_dim + i + c * kLanes);
  for (int64_t j = 0; j < s.keys; ++j) {
    simd::Vecs<kCount> row;
    for (int c = 0; c < kCount; ++c) row[c] = simd::load(s.v + j * s.head_dim + i + c * kLanes);
    if (s.first)
      for (int c = 0; c < kCount; ++c) fetch(s.v + j * s.head_dim + i + c * kLanes + kAheadV);
    for (int h = 0; h < kHeads; ++h) {
      const Vec p = simd::broadcast(s.scores[h * kKeys + j]);
      for (int c = 0; c < kCount; ++c) sums[h * kCount + c] += p * row[c];
    }
  }
  for (int h = 0; h < kHeads; ++h)
    for (int c = 0; c < kCount; ++c)
      simd::store(output + h * s.head_dim + i + c * kLanes, sums[h * kCount + c]);
}

template <int kHeads>
void accumulate_heads(const Values& s, float* output) {
  constexpr int kCount = kHeads == 4 ? 4 : 8;
  int64_t i = 0;
  for (; i + kCount * kLanes <= s.head_dim; i += kCount * kLanes)
    accumulate_block<kHeads, kCount>(s, i, output);
  for (; i + 2 * kLanes <= s.head_dim; i += 2 * kLanes) accumulate_block<kHeads, 2>(s, i, output);
  for (; i + kLanes <= s.head_dim; i += kLanes) accumulate_block<kHeads, 1>(s, i, output);
  if (i == s.head_dim) return;
  for (int h = 0; h < kHeads; ++h) {
    Vec sum = simd::load_tail(output + h * s.head_dim + i);
    for (int64_t j = 0; j < s.keys; ++j)
      sum += s.scores[h * kKeys + j] * simd::load_tail(s.v + j * s.head_dim + i);
    simd::store_tail(output + h * s.head_dim + i, sum);
  }
}

inline void accumulate(Values s, int64_t heads, float* output) {
  const auto advance = [&](int count) {
    s.scores += count * kKeys;
    s.first = false;
    output += count * s.head_dim;
    heads -= count;
  };
  for (; heads >= 4; advance(4)) accumulate_heads<4>(s, output);
  for (; heads >= 2; advance(2)) accumulate_heads<2>(s, output);
  for (; heads >= 1; advance(1)) accumulate_heads<1>(s, output);
}

}  // namespace ridge::attention_decode
