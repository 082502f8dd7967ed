// Attention's device code, run on the CPU, equals the double-precision reference.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/attention_decode/kernels.cuh"
#include "kernels/attention_decode/splits.h"
#include "kernels/attention_prefill/kernels.cuh"
#include "kernels/attention_prefill/reference.h"
#include "kernels/attention_prefill/unfused.h"
#include "tests/kernels/cache_case.h"

namespace ridge {
namespace {

using attention_prefill::Dims;

float log2_scale(int head_dim) {
  return static_cast<float>(std::log2(std::exp(1.0)) / std::sqrt(double(head_dim)));
}

// Random Q, K, V in a dtype, and what O must be.
template <class T>
struct Case {
  Case(const Dims& dims, Dtype dtype) : d(dims) {
    std::mt19937_64 rng(5);
    const std::vector<int64_t> cache{d.batch, d.kv_heads, d.kv_len, d.head_dim};
    const std::vector<int64_t> rows{d.batch, d.seq, d.heads, d.head_dim};
    for (const auto& shape : {rows, cache, cache}) {
      const TensorSpec spec{.name = "x", .dtype = dtype, .shape = shape};
      tensors.emplace_back(spec, random_values(spec, spec.count(), rng));
    }
    o.resize(static_cast<std::size_t>(tensors[0].spec().count()));
    std::fill(o.begin(), o.end(), cuda::from_float<T>(NAN));
    std::vector<Element> elements;
    for (int64_t i = 0; i < static_cast<int64_t>(o.size()); ++i) elements.push_back({0, i});
    expected.resize(o.size());
    attention_prefill::reference(d, tensors, elements, expected);
    tolerance = default_tolerance(dtype);
  }
  const T* in(int i) const {
    return reinterpret_cast<const T*>(tensors[static_cast<std::size_t>(i)].owned_data());
  }
  // ‖O − expected‖ / ‖expected‖
  double error() const {
    double difference = 0, magnitude = 0;
    for (std::size_t i = 0; i < o.size(); ++i) {
      const double x = cuda::to_float(o[i]);
      difference += (x - expected[i]) * (x - expected[i]);
      magnitude += expected[i] * expected[i];
    }
    return std::sqrt(difference / magnitude);
  }

  Dims d;
  std::vector<HostTensor> tensors;
  std::vector<T> o;
  std::vector<double> expected;
  double tolerance = 0;
};

template <class T>
void launch_decode(const Dims& d, const attention_decode::Tensors<T>& t,
                   const attention_decode::Shape& s) {
  namespace decode = attention_decode;
  decode::with_instance<T>(s.group, s.head_dim, [&](auto team) {
    using Own = decltype(team);
    const int64_t blocks =
        d.batch * d.kv_heads * ((s.group + Own::kHeads - 1) / Own::kHeads) * s.splits;
    shim::launch({.grid = {static_cast<unsigned>(blocks)}, .block = {decode::kThreads}},
                 decode::attend<T, Own>, t, s);
  });
  if (s.splits == 1) return;
  const shim::Shape merge{.grid = {static_cast<unsigned>(d.batch * d.heads)},
                          .block = {decode::kMergeThreads}};
  if (s.head_dim > 128)
    shim::launch(merge, decode::merge_parts<T, 256>, t, s);
  else if (s.head_dim > 64)
    shim::launch(merge, decode::merge_parts<T, 128>, t, s);
  else
    shim::launch(merge, decode::merge_parts<T, 64>, t, s);
}

template <class T>
void run_decode(Case<T>& c, int splits) {
  namespace decode = attention_decode;
  const Dims& d = c.d;
  const int group = static_cast<int>(d.heads / d.kv_heads), head_dim = static_cast<int>(d.head_dim);
  const int64_t rows = d.batch * d.heads;
  const auto parts = static_cast<std::size_t>(rows * splits);
  std::vector<float> outputs(parts * static_cast<std::size_t>(head_dim), NAN),
      stats(2 * parts, NAN);
  const decode::Tensors<T> t{.q = c.in(0),
                             .k = c.in(1),
                             .v = c.in(2),
                             .o = c.o.data(),
                             .lengths = nullptr,
                             .outputs = outputs.data(),
                             .stats = stats.data()};
  const decode::Shape s{.context = d.kv_len,
                        .cache_rows = d.kv_len,
                        .kv_heads = static_cast<int>(d.kv_heads),
                        .group = group,
                        .head_dim = head_dim,
                        .splits = splits,
                        .scale = log2_scale(head_dim)};
  launch_decode(d, t, s);
}

template <class T>
void check_decode(Dtype dtype) {
  for (const Dims& d :
       {Dims{1, 1, 1, 1, 1, 64}, Dims{2, 1, 37, 8, 2, 128}, Dims{1, 1, 150, 7, 1, 80},
        Dims{1, 1, 65, 4, 4, 256}, Dims{1, 1, 200, 12, 1, 96}, Dims{3, 1, 9, 6, 3, 8},
        Dims{1, 1, 131, 3, 1, 40}, Dims{1, 1, 64, 16, 2, 64}, Dims{1, 1, 33, 8, 1, 256}})
    for (int splits : {1, 2, 5, 40}) {  // 40 is more than some have keys: empty parts
      Case<T> c(d, dtype);
      run_decode(c, splits);
      EXPECT_LT(c.error(), c.tolerance)
          << "batch " << d.batch << " context " << d.kv_len << " heads " << d.heads << "/"
          << d.kv_heads << " head_dim " << d.head_dim << " splits " << splits;
    }
}

TEST(AttentionDecode, EqualsTheReferenceF32) { check_decode<float>(Dtype::kF32); }
TEST(AttentionDecode, EqualsTheReferenceF16) { check_decode<__half>(Dtype::kF16); }
TEST(AttentionDecode, EqualsTheReferenceBf16) { check_decode<__nv_bfloat16>(Dtype::kBf16); }

TEST(AttentionDecode, ReadsNothingBeyondASequencesOwnKeys) {
  for (const CacheCase& c : decode_caches())
    for (int splits : {1, 3, 40}) {
      const Dims& d = c.d;
      const auto parts = static_cast<std::size_t>(d.batch * d.heads * splits);
      std::vector<float> o(c.expected.size(), NAN), stats(2 * parts, NAN),
          outputs(parts * static_cast<std::size_t>(d.head_dim), NAN);
      launch_decode<float>(d,
                           {.q = c.q.data(),
                            .k = c.k.data(),
                            .v = c.v.data(),
                            .o = o.data(),
                            .lengths = c.lengths.data(),
                            .outputs = outputs.data(),
                            .stats = stats.data()},
                           {.context = d.kv_len,
                            .cache_rows = c.rows,
                            .kv_heads = static_cast<int>(d.kv_heads),
                            .group = static_cast<int>(d.heads / d.kv_heads),
                            .head_dim = static_cast<int>(d.head_dim),
                            .splits = splits,
                            .scale = log2_scale(static_cast<int>(d.head_dim))});
      EXPECT_LT(c.error(o), 2e-6) << d.batch << " sequences, " << splits << " splits";
    }
}

// Scores that grow along the cache make every step rescale what came before.
TEST(AttentionDecode, RescalesWhenALaterScoreIsLarger) {
  Case<float> c({1, 1, 300, 4, 1, 64}, Dtype::kF32);
  std::vector<std::byte> bytes(c.tensors[1].owned_data(),
                               c.tensors[1].owned_data() + c.tensors[1].spec().bytes());
  auto* k = reinterpret_cast<float*>(bytes.data());
  for (int64_t i = 0; i < 300 * 64; ++i) k[i] = c.in(0)[i % 64] * 0.1f * static_cast<float>(i / 64);
  c.tensors[1] = HostTensor(c.tensors[1].spec(), bytes);
  std::vector<Element> elements;
  for (int64_t i = 0; i < static_cast<int64_t>(c.o.size()); ++i) elements.push_back({0, i});
  attention_prefill::reference(c.d, c.tensors, elements, c.expected);
  for (int splits : {1, 3}) {
    run_decode(c, splits);
    EXPECT_LT(c.error(), c.tolerance) << splits;
  }
}

TEST(AttentionDecodeSplits, FillTheGpuOnlyWhereTheGridDoesNot) {
  using attention_decode::choose_splits;
  // H200: 132 SMs of 4 blocks.
  EXPECT_EQ(choose_splits({.blocks = 512, .slots = 528, .context = 8192, .step = 32}), 1);
  EXPECT_GE(choose_splits({.blocks = 8, .slots = 528, .context = 32768, .step = 32}), 48);
  EXPECT_EQ(choose_splits({.blocks = 8, .slots = 528, .context = 16, .step = 32}), 1);
  for (int64_t blocks : {1, 7, 100, 600, 5000})
    for (int64_t context : {1, 100, 5000, 131072}) {
      const int splits = choose_splits({blocks, 528, context, 32});
      EXPECT_GE(splits, 1);
      EXPECT_LE((splits - 1) * int64_t{32}, context);
    }
}

const Dims kPrefillShapes[] = {{1, 1, 1, 1, 1, 8},     {2, 5, 37, 4, 2, 64},
                               {1, 70, 70, 2, 1, 80},  {1, 65, 130, 3, 3, 128},
                               {1, 33, 40, 2, 2, 256}, {1, 100, 101, 1, 1, 40}};

std::string name_of(const Dims& d) {
  return "batch " + std::to_string(d.batch) + " seq " + std::to_string(d.seq) + " kv_len " +
         std::to_string(d.kv_len) + " heads " + std::to_string(d.heads) + "/" +
         std::to_string(d.kv_heads) + " head_dim " + std::to_string(d.head_dim);
}

template <class T>
void launch_prefill(const Dims& d, const attention_prefill::Tensors<T>& t,
                    const attention_prefill::Shape& s) {
  namespace prefill = attention_prefill;
  prefill::with_instance<T>(s.head_dim, [&](auto tile) {
    using Own = decltype(tile);
    const int64_t blocks = d.batch * d.heads * ((d.seq + Own::kRows - 1) / Own::kRows);
    shim::launch({.grid = {static_cast<unsigned>(blocks)},
                  .block = {prefill::kThreads},
                  .shared_bytes = Own::shared_bytes(s.head_dim)},
                 prefill::attend<T, Own>, t, s);
    EXPECT_LE(Own::shared_bytes(s.head_dim), 65536u) << "more than a block has on sm_75";
  });
}

template <class T>
void check_prefill(Dtype dtype) {
  namespace prefill = attention_prefill;
  for (const Dims& d : kPrefillShapes) {
    Case<T> c(d, dtype);
    const int head_dim = static_cast<int>(d.head_dim);
    const prefill::Tensors<T> t{c.in(0), c.in(1), c.in(2), c.o.data()};
    const prefill::Shape s{.seq = d.seq,
                           .kv_len = d.kv_len,
                           .cache_rows = d.kv_len,
                           .heads = static_cast<int>(d.heads),
                           .group = static_cast<int>(d.heads / d.kv_heads),
                           .head_dim = head_dim,
                           .scale = log2_scale(head_dim)};
    launch_prefill(d, t, s);
    EXPECT_LT(c.error(), c.tolerance) << name_of(d);
  }
}

TEST(AttentionPrefill, ReadsNothingBeyondTheKeysOfACache) {
  for (const CacheCase& c : prefill_caches()) {
    const Dims& d = c.d;
    std::vector<float> o(c.expected.size(), NAN);
    launch_prefill<float>(d, {.q = c.q.data(), .k = c.k.data(), .v = c.v.data(), .o = o.data()},
                          {.seq = d.seq,
                           .kv_len = d.kv_len,
                           .cache_rows = c.rows,
                           .heads = static_cast<int>(d.heads),
                           .group = static_cast<int>(d.heads / d.kv_heads),
                           .head_dim = static_cast<int>(d.head_dim),
                           .scale = log2_scale(static_cast<int>(d.head_dim))});
    EXPECT_LT(c.error(o), 2e-6) << name_of(d);
  }
}

TEST(AttentionPrefill, SimtEqualsTheReferenceF32) { check_prefill<float>(Dtype::kF32); }
TEST(AttentionPrefill, SimtEqualsTheReferenceF16) { check_prefill<__half>(Dtype::kF16); }
TEST(AttentionPrefill, SimtEqualsTheReferenceBf16) { check_prefill<__nv_bfloat16>(Dtype::kBf16); }

// The steps and the softmax of the unfused implementation, the two products done in plain loops
// where it calls cuBLAS.
template <class T>
void run_unfused(Case<T>& c, int64_t scratch_elements) {
  namespace prefill = attention_prefill;
  const Dims& d = c.d;
  for (const prefill::UnfusedStep& s : prefill::unfused_steps(d, scratch_elements)) {
    std::vector<T> scores(static_cast<std::size_t>(s.heads * s.queries * s.stride),
                          cuda::from_float<T>(NAN));
    const auto row_of = [&](int64_t h, int64_t q) {
      return ((h / d.heads * d.seq + s.first_query + q) * d.heads + h % d.heads) * d.head_dim;
    };
    const auto key_of = [&](int64_t h, int64_t key) {
      const int64_t cache = h / d.heads * d.kv_heads + h % d.heads / (d.heads / d.kv_heads);
      return (cache * d.kv_len + key) * d.head_dim;
    };
    const auto at = [&](int64_t h, int64_t q, int64_t key) -> T& {
      return scores[static_cast<std::size_t>(((h - s.first_head) * s.queries + q) * s.stride +
                                             key)];
    };
    const auto each = [&](auto f) {
      for (int64_t h = s.first_head; h < s.first_head + s.heads; ++h)
        for (int64_t q = 0; q < s.queries; ++q) f(h, q);
    };
    each([&](int64_t h, int64_t q) {
      for (int64_t key = 0; key < s.keys; ++key) {
        float sum = 0;
        for (int64_t i = 0; i < d.head_dim; ++i)
          sum += cuda::to_float(c.in(0)[row_of(h, q) + i]) *
                 cuda::to_float(c.in(1)[key_of(h, key) + i]);
        at(h, q, key) = cuda::from_float<T>(sum * log2_scale(static_cast<int>(d.head_dim)));
      }
    });
    const prefill::ScoreRows rows{.rows = static_cast<int>(s.queries),
                                  .stride = s.stride,
                                  .first_visible = prefill::visible_keys(d, s.first_query)};
    shim::launch({.grid = {static_cast<unsigned>(s.queries), static_cast<unsigned>(s.heads)},
                  .block = {prefill::kSoftmaxThreads}},
                 prefill::softmax_visible<T>, scores.data(), rows);
    each([&](int64_t h, int64_t q) {
      for (int64_t i = 0; i < d.head_dim; ++i) {
        float sum = 0;
        for (int64_t key = 0; key < s.keys; ++key)
          sum += cuda::to_float(at(h, q, key)) * cuda::to_float(c.in(2)[key_of(h, key) + i]);
        c.o[static_cast<std::size_t>(row_of(h, q) + i)] = cuda::from_float<T>(sum);
      }
    });
  }
}

TEST(AttentionPrefill, UnfusedStepsEqualTheReference) {
  for (const Dims& d : {Dims{2, 5, 37, 4, 2, 64}, Dims{1, 20, 20, 2, 1, 80}})
    for (int64_t scratch : {int64_t{1}, int64_t{300}, int64_t{1} << 30}) {
      Case<float> c(d, Dtype::kF32);
      run_unfused(c, scratch);
      EXPECT_LT(c.error(), c.tolerance) << name_of(d) << " scratch " << scratch;
      Case<__half> half(d, Dtype::kF16);
      run_unfused(half, scratch);
      EXPECT_LT(half.error(), half.tolerance) << name_of(d) << " scratch " << scratch;
    }
}

TEST(AttentionPrefill, UnfusedStepsFitTheScratch) {
  const Dims d{4, 5000, 9001, 32, 8, 128};
  const int64_t limit = 1 << 28;
  int64_t pairs = 0, multiplied = 0;
  for (const auto& s : attention_prefill::unfused_steps(d, limit)) {
    EXPECT_LE(s.heads * s.queries * s.stride, limit);
    EXPECT_LE(s.keys, s.stride);
    pairs += s.heads * s.queries;
    multiplied += s.heads * s.queries * s.keys;
  }
  EXPECT_EQ(pairs, d.batch * d.heads * d.seq);
  EXPECT_LT(multiplied, pairs * d.kv_len);  // what no query sees is left out in part
}

}  // namespace
}  // namespace ridge
