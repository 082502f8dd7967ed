// CPU decode attention cuts the keys of all caches evenly over the threads, so a part may begin and
// end anywhere: the result must not depend on how many there are.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/core/operators.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/cpu_backend.h"
#include "tests/kernels/cache_case.h"

namespace ridge {
namespace attention_decode {
std::vector<CpuImplementation> cpu_implementations();
}
namespace {

std::vector<float> floats(const HostTensor& t) {
  std::vector<float> values(static_cast<std::size_t>(t.spec().count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(t.at(static_cast<int64_t>(i)));
  return values;
}

TEST(AttentionDecode, AnyNumberOfThreadsGivesTheSameResult) {
  const OpSpec& spec = find_operator("attention_decode");
  std::mt19937_64 rng(3);
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{1, 5, 2, 1, 8},
                                           {3, 7, 4, 2, 16},
                                           {1, 1000, 8, 1, 64},
                                           {5, 1, 2, 2, 8},
                                           {2, 130, 3, 3, 40}}) {
    const Call call{spec.name, dims, Dtype::kF32, ""};
    std::vector<HostTensor> tensors;
    std::vector<std::vector<float>> values;
    for (const TensorSpec& t : spec.inputs(call)) {
      tensors.emplace_back(t, random_values(t, t.count(), rng));
      values.push_back(floats(tensors.back()));
    }
    std::vector<Element> elements;
    for (int64_t i = 0; i < spec.outputs(call)[0].count(); ++i) elements.push_back({0, i});
    std::vector<double> expected(elements.size());
    spec.reference(call, tensors, elements, expected);
    for (int threads = 1; threads <= 16; ++threads) {
      CpuContext context;
      context.threads = threads;
      std::vector<float> out(elements.size(), NAN);
      const Arguments arguments{{values[0].data(), values[1].data(), values[2].data()},
                                {out.data()}};
      attention_decode::cpu_implementations()[0].bind(context, call, arguments)->enqueue();
      for (std::size_t i = 0; i < out.size(); ++i)
        ASSERT_NEAR(out[i], expected[i], 2e-6)
            << to_string(call) << " element " << i << ", " << threads << " threads";
    }
  }
}

TEST(AttentionDecode, ReadsNothingBeyondASequencesOwnKeys) {
  for (const CacheCase& c : decode_caches())
    for (int threads = 1; threads <= 7; ++threads) {
      CpuContext context;
      context.threads = threads;
      std::vector<float> out(c.expected.size(), NAN);
      const Call call{"attention_decode",
                      {c.d.batch, c.d.kv_len, c.d.heads, c.d.kv_heads, c.d.head_dim},
                      Dtype::kF32,
                      ""};
      const Arguments arguments{.inputs = {c.q.data(), c.k.data(), c.v.data()},
                                .outputs = {out.data()},
                                .cache_rows = c.rows,
                                .lengths = c.lengths.data()};
      const auto launch = attention_decode::cpu_implementations()[0].bind(context, call, arguments);
      for (int again = 0; again < 2; ++again) launch->enqueue();
      EXPECT_LT(c.error(out), 2e-6) << to_string(call) << ", " << threads << " threads";
    }
}

TEST(AttentionPrefill, ReadsNothingBeyondTheKeysOfACache) {
  const auto backend = open_cpu_backend(2);
  for (const CacheCase& c : prefill_caches()) {
    std::vector<float> out(c.expected.size(), NAN);
    const Call call{"attention_prefill",
                    {c.d.batch, c.d.seq, c.d.kv_len, c.d.heads, c.d.kv_heads, c.d.head_dim},
                    Dtype::kF32,
                    ""};
    backend
        ->bind(call, {.inputs = {c.q.data(), c.k.data(), c.v.data()},
                      .outputs = {out.data()},
                      .cache_rows = c.rows})
        ->enqueue();
    EXPECT_LT(c.error(out), 2e-6) << to_string(call);
  }
}

}  // namespace
}  // namespace ridge
