#include "predictor/predict_call.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "kernels/core/error.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using fixture::gemm;

const DelayTable& swept() {
  static const DelayTable t = fixture::table(80);
  return t;
}

TEST(PredictCall, AMeasuredCallIsItsMeasurement) {
  for (const Sample& s : swept().samples) {
    const Prediction p = predict_call(swept(), s.call);
    EXPECT_EQ(p.basis, Basis::kMeasured);
    EXPECT_DOUBLE_EQ(p.seconds, s.median_s);
    EXPECT_LE(p.low_s, p.seconds);
    EXPECT_GE(p.high_s, p.seconds);
  }
}

TEST(PredictCall, WithoutImplementationTheMeasuredOneIsTaken) {
  Call c = swept().samples.front().call;
  c.implementation.clear();
  EXPECT_EQ(predict_call(swept(), c).basis, Basis::kMeasured);
}

TEST(PredictCall, NeverFasterThanTheRooflineBeyondWhatWasMeasured) {
  double floor = 1;
  for (const Sample& s : swept().samples) floor = std::min(floor, s.delay_factor);
  std::mt19937_64 rng(17);
  for (int i = 0; i < 2000; ++i) {
    const Call c = gemm(fixture::log_uniform(rng, 1, 1e6), fixture::log_uniform(rng, 1, 1e6),
                        fixture::log_uniform(rng, 1, 1e6));
    const Prediction p = predict_call(swept(), c);
    EXPECT_GE(p.seconds, fixture::ideal_s(c) * floor * (1 - 1e-12)) << to_string(c);
    EXPECT_LE(p.low_s, p.seconds);
    EXPECT_GE(p.high_s, p.seconds);
    EXPECT_GT(p.low_s, 0);
    EXPECT_TRUE(std::isfinite(p.high_s));
  }
}

TEST(PredictCall, GrowsWithEveryDimInTheLargeLimit) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double before = 0;
    for (int64_t size = 1 << 15; size <= 1 << 24; size *= 2) {
      Call c = gemm(512, 4096, 4096);
      c.dims[axis] = size;
      const Prediction p = predict_call(swept(), c);
      EXPECT_GT(p.seconds, before) << to_string(c);
      EXPECT_EQ(p.basis, Basis::kExtrapolated);
      before = p.seconds;
    }
  }
}

TEST(PredictCall, TheIntervalWidensAwayFromWhatWasMeasured) {
  auto width = [&](const Call& c) {
    const Prediction p = predict_call(swept(), c);
    return std::log(p.high_s / p.low_s);
  };
  const double inside = width(gemm(700, 2000, 2000));
  EXPECT_EQ(predict_call(swept(), gemm(700, 2000, 2000)).basis, Basis::kInterpolated);
  EXPECT_GT(width(gemm(1 << 16, 1 << 16, 2000)), inside);
  EXPECT_GT(width(gemm(1 << 20, 1 << 20, 2000)), width(gemm(1 << 16, 1 << 16, 2000)));
}

TEST(PredictCall, WhatWasNeverMeasuredIsItsRoofline) {
  const Prediction p = predict_call(swept(), gemm(4096, 4096, 4096, Dtype::kF16));
  EXPECT_EQ(p.basis, Basis::kRoofline);
  EXPECT_NEAR(p.seconds, 1e-6 + 2 * std::pow(4096, 3) / 1e13, 1e-9);
  EXPECT_EQ(p.bound, Bound::kCompute);
  EXPECT_GT(p.high_s, p.seconds);
}

TEST(PredictCall, RefusesWhatCannotBe) {
  EXPECT_THROW(predict_call(swept(), gemm(-3, 1, 1)), BadInput);
  EXPECT_THROW(predict_call(swept(), {.op = "gemm", .dims = {1, 1}}), BadInput);
  EXPECT_THROW(predict_call(swept(), {.op = "teleport", .dims = {1}}), BadInput);
  EXPECT_THROW(predict_call(swept(), gemm(8, 8, 8, Dtype::kBf16)), BadInput);  // no ceiling
}

TEST(PredictCall, IsFast) {
  const DelayTable t = fixture::table(150);
  std::mt19937_64 rng(1);
  std::vector<Call> calls;
  for (int i = 0; i < 20000; ++i) calls.push_back(fixture::random_gemm(rng));
  const auto start = std::chrono::steady_clock::now();
  double sum = 0;
  for (const Call& c : calls) sum += predict_call(t, c).seconds;
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.0f predictions/s from 150 points\n", static_cast<double>(calls.size()) / s);
  EXPECT_GT(sum, 0);
  EXPECT_LT(s, 2);  // 10 x slack: machines that run tests are not idle
}

}  // namespace
}  // namespace ridge
