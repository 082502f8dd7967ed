// What a layer of a model may have that the calls of a sweep have not: weights that are kept
// packed, a bias, another epsilon.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/core/error.h"
#include "kernels/cpu/cpu_backend.h"

namespace ridge {
namespace {

std::vector<float> random(int64_t count, std::mt19937_64& rng) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& x : values) x = uniform(rng);
  return values;
}

TEST(KeptWeights, AreTheSameForEveryNumberOfRows) {
  const auto backend = open_cpu_backend(2);
  std::mt19937_64 rng(2);
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{96, 64}, {37, 19}, {1, 8}}) {
    const std::vector<float> w = random(n * k, rng), bias = random(n, rng);
    const auto kept = backend->keep_weights(Dtype::kF32, n, k, w.data());
    EXPECT_GE(kept->bytes(), 4 * n * k);
    for (const int64_t m : {1, 2, 17, 64})
      for (const float* add : {static_cast<const float*>(nullptr), bias.data()}) {
        const std::vector<float> a = random(m * k, rng);
        std::vector<float> c(static_cast<std::size_t>(m * n), NAN);
        backend
            ->bind({"gemm", {m, n, k}, Dtype::kF32, ""}, {.inputs = {a.data(), nullptr},
                                                          .outputs = {c.data()},
                                                          .weights = kept.get(),
                                                          .bias = add})
            ->enqueue();
        for (int64_t i = 0; i < m * n; ++i) {
          double sum = add ? add[i % n] : 0;
          for (int64_t j = 0; j < k; ++j)
            sum += static_cast<double>(a[static_cast<std::size_t>(i / n * k + j)]) *
                   w[static_cast<std::size_t>(i % n * k + j)];
          ASSERT_NEAR(c[static_cast<std::size_t>(i)], sum, 1e-4) << m << " x " << n << " x " << k;
        }
      }
  }
}

TEST(KeptWeights, OfADtypeThatTheCpuDoesNotMultiplyAreRefused) {
  const auto backend = open_cpu_backend(1);
  const std::vector<std::byte> w(64);
  EXPECT_THROW(backend->keep_weights(Dtype::kBf16, 4, 8, w.data()), BadInput);
}

TEST(Norm, TakesItsEpsilon) {
  const auto backend = open_cpu_backend(1);
  const std::vector<float> x{0.003f, -0.004f}, w{1, 2};
  std::vector<float> y(2), before(2);
  const Call call{"rmsnorm", {1, 2}, Dtype::kF32, ""};
  backend->bind(call, {.inputs = {x.data(), w.data()}, .outputs = {before.data()}})->enqueue();
  backend->bind(call, {.inputs = {x.data(), w.data()}, .outputs = {y.data()}, .epsilon = 1e-6})
      ->enqueue();
  // mean(x^2) = 1.25e-5
  EXPECT_NEAR(y[0], 0.003 / std::sqrt(1.25e-5 + 1e-6), 1e-6);
  EXPECT_NEAR(y[1], -0.008 / std::sqrt(1.25e-5 + 1e-6), 1e-6);
  EXPECT_NEAR(before[0], 0.003 / std::sqrt(1.25e-5 + 1e-5), 1e-6);
}

}  // namespace
}  // namespace ridge
