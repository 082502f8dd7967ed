#pragma once
#include <cstring>

#include "kernels/attention_prefill/vectors.h"

// The two products of decode attention over a tile of K or V rows, each row loaded once for up to
// four query heads. For cpu.cpp only.
namespace ridge::attention_decode {

using simd::kLanes;
using Vec = simd::Floats;

constexpr int kKeys = 64;  // rows of a tile: 32 KiB at head_dim 128; the stride of scores

// scores[h][j] = queries[h] · K[j] for kHeads heads and as many rows of K as make one vector of
// scores. Meanwhile the same rows of V are fetched where `v` is given.
template <int kHeads>
void dot(const float* queries, const float* k, const float* v, int64_t head_dim, float* scores) {
  constexpr int kRows = kLanes / kHeads;
  simd::Vecs<kLanes> sums{};
  int64_t i = 0;
  for (; i + kLanes <= head_dim; i += kLanes) {
    simd::Vecs<kHeads> q;
    for (int h = 0; h < kHeads; ++h) q[h] = simd::load(queries + h * head_dim + i);
    for (int j = 0; j < kRows; ++j) {
      const Vec row = simd::load(k + j * head_dim + i);
      if (v) simd::prefetch(v + j * head_dim + i);
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
void score_heads(const float* queries, const float* k, const float* v, int64_t keys,
                 int64_t head_dim, float* scores) {
  constexpr int kRows = kLanes / kHeads;
  int64_t j = 0;
  for (; j + kRows <= keys; j += kRows)
    dot<kHeads>(queries, k + j * head_dim, v ? v + j * head_dim : nullptr, head_dim, scores + j);
  for (; j < keys; ++j)
    for (int h = 0; h < kHeads; ++h)
      scores[h * kKeys + j] = dot_one(queries + h * head_dim, k + j * head_dim, head_dim);
}

inline void score(const float* queries, const float* k, const float* v, int64_t heads, int64_t keys,
                  int64_t head_dim, float* scores) {
  int64_t h = 0;
  const auto fetched = [&] { return h == 0 ? v : nullptr; };
  for (; h + 4 <= heads; h += 4)
    score_heads<4>(queries + h * head_dim, k, fetched(), keys, head_dim, scores + h * kKeys);
  for (; h + 2 <= heads; h += 2)
    score_heads<2>(queries + h * head_dim, k, fetched(), keys, head_dim, scores + h * kKeys);
  for (; h < heads; ++h)
    score_heads<1>(queries + h * head_dim, k, fetched(), keys, head_dim, scores + h * kKeys);
}

// Rows of V, the scores of their keys, and the next tile of K to fetch meanwhile (or null).
struct Values {
  const float *scores, *v, *next_k;
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
    if (s.next_k)
      for (int c = 0; c < kCount; ++c) simd::prefetch(s.next_k + j * s.head_dim + i + c * kLanes);
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
  const auto advance = [&](int count) {  // what is fetched is fetched with the first heads
    s.scores += count * kKeys;
    s.next_k = nullptr;
    output += count * s.head_dim;
    heads -= count;
  };
  for (; heads >= 4; advance(4)) accumulate_heads<4>(s, output);
  for (; heads >= 2; advance(2)) accumulate_heads<2>(s, output);
  for (; heads >= 1; advance(1)) accumulate_heads<1>(s, output);
}

}  // namespace ridge::attention_decode
