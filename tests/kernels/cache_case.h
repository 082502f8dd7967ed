#pragma once
#include <cmath>
#include <random>
#include <vector>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/attention_prefill/reference.h"
#include "kernels/core/tensor.h"

namespace ridge {

// Attention to a cache as a model keeps it: each head has room for `rows` rows, of which each
// sequence uses `lengths` of its own. What lies beyond them is NaN: whoever reads it fails.
struct CacheCase {
  CacheCase(const attention_prefill::Dims& dims, int64_t rows_, std::vector<int32_t> lengths_)
      : d(dims), rows(rows_), lengths(std::move(lengths_)) {
    std::mt19937_64 rng(11);
    std::uniform_real_distribution<float> uniform(-1, 1);
    const auto size = [](int64_t n) { return static_cast<std::size_t>(n); };
    q.resize(size(d.batch * d.seq * d.heads * d.head_dim));
    for (float& x : q) x = uniform(rng);
    k.assign(size(d.batch * d.kv_heads * rows * d.head_dim), NAN);
    v = k;
    for (int64_t b = 0; b < d.batch; ++b) {
      for (int64_t i = 0; i < d.kv_heads * length(b) * d.head_dim; ++i) {
        const int64_t head = i / (length(b) * d.head_dim), rest = i % (length(b) * d.head_dim);
        const auto at = size((b * d.kv_heads + head) * rows * d.head_dim + rest);
        k[at] = uniform(rng);
        v[at] = uniform(rng);
      }
      add_expected(b);
    }
  }

  int64_t length(int64_t b) const { return lengths[static_cast<std::size_t>(b)]; }

  double error(const std::vector<float>& out) const {
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double off = std::abs(out[i] - expected[i]);
      worst = std::isnan(off) ? INFINITY : std::max(worst, off);
    }
    return worst;
  }

  attention_prefill::Dims d;
  int64_t rows;
  std::vector<int32_t> lengths;
  std::vector<float> q, k, v;
  std::vector<double> expected;

 private:
  static HostTensor tensor(std::vector<int64_t> shape, const std::vector<float>& values) {
    const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
    return {{.name = "x", .dtype = Dtype::kF32, .shape = std::move(shape)},
            {bytes, bytes + values.size() * sizeof(float)}};
  }

  // By the reference of one sequence whose cache has no room to spare.
  void add_expected(int64_t b) {
    attention_prefill::Dims one = d;
    one.batch = 1;
    one.kv_len = length(b);
    const int64_t queries = d.seq * d.heads * d.head_dim;
    const std::vector<float> own_q(q.begin() + b * queries, q.begin() + (b + 1) * queries);
    std::vector<float> own_k, own_v;
    for (int64_t head = b * d.kv_heads; head < (b + 1) * d.kv_heads; ++head) {
      const int64_t at = head * rows * d.head_dim, end = at + one.kv_len * d.head_dim;
      own_k.insert(own_k.end(), k.begin() + at, k.begin() + end);
      own_v.insert(own_v.end(), v.begin() + at, v.begin() + end);
    }
    const std::vector<int64_t> cache{1, d.kv_heads, one.kv_len, d.head_dim};
    const std::vector<HostTensor> in{tensor({1, d.seq, d.heads, d.head_dim}, own_q),
                                     tensor(cache, own_k), tensor(cache, own_v)};
    std::vector<Element> elements;
    for (int64_t i = 0; i < queries; ++i) elements.push_back({0, i});
    std::vector<double> values(elements.size());
    attention_prefill::reference(one, in, elements, values);
    expected.insert(expected.end(), values.begin(), values.end());
  }
};

// One new token each, sequences of several lengths.
inline std::vector<CacheCase> decode_caches() {
  return {{{3, 1, 40, 4, 2, 16}, 64, {1, 40, 17}},
          {{1, 1, 130, 8, 1, 64}, 200, {97}},
          {{4, 1, 300, 3, 3, 40}, 300, {300, 1, 2, 150}},
          {{2, 1, 70, 6, 2, 128}, 71, {70, 3}}};
}

// Prompts of one length, with a part of them cached before.
inline std::vector<CacheCase> prefill_caches() {
  return {{{2, 9, 9, 4, 2, 16}, 32, {9, 9}},
          {{1, 33, 40, 6, 3, 64}, 41, {40}},
          {{3, 5, 20, 2, 2, 80}, 20, {20, 20, 20}}};
}

}  // namespace ridge
