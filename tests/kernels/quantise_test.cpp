// The two operators around a product of int8: by hand what the generic test cannot say.
#include "kernels/quantise/quantise.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/cpu/cpu_backend.h"

namespace ridge {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

Backend& cpu() {
  static const std::unique_ptr<Backend> backend = open_cpu_backend(2);
  return *backend;
}

struct Quantised {
  std::vector<int8_t> q;
  std::vector<float> scale;
};

Quantised quantise(const std::vector<float>& x, int64_t rows, int64_t cols) {
  Quantised out{std::vector<int8_t>(x.size(), -128),
                std::vector<float>(static_cast<std::size_t>(rows), NAN)};
  cpu()
      .bind({"quantise_rows", {rows, cols}, Dtype::kF32, ""},
            {.inputs = {x.data()}, .outputs = {out.q.data(), out.scale.data()}})
      ->enqueue();
  return out;
}

std::vector<float> dequantise(const std::vector<int32_t>& acc, const std::vector<float>& row_scale,
                              const std::vector<float>& column_scale, const float* bias) {
  std::vector<float> y(acc.size(), NAN);
  const auto rows = static_cast<int64_t>(row_scale.size()),
             cols = static_cast<int64_t>(column_scale.size());
  cpu()
      .bind({"dequantise", {rows, cols}, Dtype::kF32, ""},
            {.inputs = {acc.data(), row_scale.data(), column_scale.data()},
             .outputs = {y.data()},
             .bias = bias})
      ->enqueue();
  return y;
}

std::vector<float> random(int64_t count, float size) {
  std::mt19937_64 rng(3);
  std::normal_distribution<float> normal(0, size);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& x : values) x = normal(rng);
  return values;
}

TEST(QuantiseRows, RoundsToTheNearestAndTiesToEven) {
  const Quantised out = quantise({127, -127, 1.4f, 1.6f, -1.6f, 0.5f, 1.5f, -2.5f, 0}, 1, 9);
  EXPECT_THAT(out.q, ElementsAre(127, -127, 1, 2, -2, 0, 2, -2, 0));
  EXPECT_FLOAT_EQ(out.scale[0], 1);
}

TEST(QuantiseRows, EveryRowHasAScaleOfItsOwn) {
  const Quantised out = quantise({0.75f, -2, 4, 0.5f, -100, 60}, 3, 2);
  EXPECT_THAT(out.q, ElementsAre(48, -127, 127, 16, -127, 76));
  EXPECT_FLOAT_EQ(out.scale[0], 2.0f / 127);
  EXPECT_FLOAT_EQ(out.scale[1], 4.0f / 127);
  EXPECT_FLOAT_EQ(out.scale[2], 100.0f / 127);
}

TEST(QuantiseRows, OfNothingIsNothing) {
  for (const float tiny : {0.0f, 1e-31f, -1e-40f}) {
    const Quantised out = quantise(std::vector<float>(40, tiny), 2, 20);
    EXPECT_THAT(out.q, Each(0));
    EXPECT_THAT(out.scale, Each(0.0f));
  }
}

// Rows that one thread has, and long ones that threads share; values of any size.
TEST(QuantiseRows, IsOffByHalfAStepAtMost) {
  for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{5, 33}, {1, 200'003}, {300, 257}})
    for (const float size : {1e-20f, 1.0f, 1e20f}) {
      const std::vector<float> x = random(rows * cols, size);
      const Quantised out = quantise(x, rows, cols);
      for (int64_t r = 0; r < rows; ++r) {
        const double scale = out.scale[static_cast<std::size_t>(r)];
        double most = 0;
        for (int64_t i = r * cols; i < (r + 1) * cols; ++i) {
          const double value = x[static_cast<std::size_t>(i)];
          most = std::max(most, std::fabs(value));
          ASSERT_LE(std::fabs(value - scale * out.q[static_cast<std::size_t>(i)]),
                    scale * (0.5 + 1e-4));
        }
        ASSERT_NEAR(scale * 127 / most, 1, 1e-6);
      }
    }
}

TEST(Dequantise, ScalesRowsAndColumnsAndAddsABias) {
  const std::vector<int32_t> acc{1, -2, 3, 1 << 30, 0, -7};
  const std::vector<float> bias{10, 20, 30};
  EXPECT_THAT(dequantise(acc, {0.5f, 2}, {1, 10, 100}, nullptr),
              ElementsAre(0.5f, -10, 150, 0x1p31f, 0, -1400));
  EXPECT_THAT(dequantise(acc, {0.5f, 2}, {1, 10, 100}, bias.data()),
              ElementsAre(10.5f, 10, 180, 0x1p31f + 10, 20, -1370));
}

TEST(Dequantise, AddsTheBiasToLongRowsAndManyRows) {
  for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{2, 70'001}, {700, 19}}) {
    std::vector<int32_t> acc(static_cast<std::size_t>(rows * cols));
    for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = static_cast<int32_t>(i % 1009) - 500;
    std::vector<float> ones(static_cast<std::size_t>(cols), 1), bias(ones.size());
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(c);
    std::vector<float> scales(static_cast<std::size_t>(rows));
    for (std::size_t r = 0; r < scales.size(); ++r) scales[r] = static_cast<float>(r + 1);
    const std::vector<float> y = dequantise(acc, scales, ones, bias.data());
    const auto width = static_cast<std::size_t>(cols);
    for (std::size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y[i], static_cast<float>(acc[i]) * scales[i / width] + bias[i % width]) << i;
  }
}

// The three calls together are the product, within what rounding both sides may do: each rounds by
// at most half a step of its row.
TEST(Quantise, AProductIsWithinItsRounding) {
  const int64_t m = 9, n = 50, k = 320;
  const std::vector<float> x = random(m * k, 2), w = random(n * k, 0.1f);
  const Quantised qx = quantise(x, m, k), qw = quantise(w, n, k);
  const auto kept = cpu().keep_weights(Dtype::kInt8, n, k, qw.q.data());
  std::vector<int32_t> acc(static_cast<std::size_t>(m * n), -1);
  cpu()
      .bind({"gemm", {m, n, k}, Dtype::kInt8, ""},
            {.inputs = {qx.q.data(), nullptr}, .outputs = {acc.data()}, .weights = kept.get()})
      ->enqueue();
  const std::vector<float> y = dequantise(acc, qx.scale, qw.scale, nullptr);
  for (int64_t r = 0; r < m; ++r)
    for (int64_t c = 0; c < n; ++c) {
      const double sx = qx.scale[static_cast<std::size_t>(r)],
                   sw = qw.scale[static_cast<std::size_t>(c)];
      double exact = 0, bound = 0;
      for (int64_t i = 0; i < k; ++i) {
        const double a = x[static_cast<std::size_t>(r * k + i)],
                     b = w[static_cast<std::size_t>(c * k + i)];
        exact += a * b;
        bound += std::fabs(a) * sw / 2 + std::fabs(b) * sx / 2 + sx * sw / 4;
      }
      ASSERT_LE(std::fabs(y[static_cast<std::size_t>(r * n + c)] - exact), bound * 1.001);
    }
}

// Of the longest rows that the header allows, all at the ends of the range.
TEST(Quantise, TheLongestRowsDoNotOverflow) {
  const int64_t k = quantise::kMostSummed;
  EXPECT_LE(k * quantise::kSteps * quantise::kSteps, int64_t{INT32_MAX});
  EXPECT_GT((k + 1) * quantise::kSteps * quantise::kSteps, int64_t{INT32_MAX});
  for (const int sign : {1, -1}) {
    const std::vector<int8_t> a(static_cast<std::size_t>(k), 127),
        w(static_cast<std::size_t>(k), static_cast<int8_t>(127 * sign));
    int32_t sum = 0;
    cpu()
        .bind({"gemm", {1, 1, k}, Dtype::kInt8, ""},
              {.inputs = {a.data(), w.data()}, .outputs = {&sum}})
        ->enqueue();
    // The sum's last bits are lost where oneDNN passes it through a float.
    EXPECT_NEAR(static_cast<double>(sum) / (127.0 * 127.0 * static_cast<double>(k)), sign, 1e-7);
  }
}

}  // namespace
}  // namespace ridge
