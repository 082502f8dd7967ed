#include "calibrate/delay_model.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

#include "calibrate/fit_curve.h"
#include "calibrate/gaussian_process.h"
#include "calibrate/physics_features.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using fixture::gemm;
using fixture::timed;

const DelayTable& swept() {
  static const DelayTable t = fixture::table(100);
  return t;
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

TEST(DelayModel, LearnsASmoothLawFromFewPoints) {
  std::mt19937_64 rng(99);
  std::vector<double> errors;
  for (int i = 0; i < 200; ++i) {
    const Call c = fixture::random_gemm(rng);
    errors.push_back(std::abs(predict_call(swept(), c).seconds / fixture::law_s(c) - 1));
  }
  EXPECT_LT(median(errors), 0.03);
  EXPECT_LT(swept().curves.at(0).cv_median_error, 0.03);
}

TEST(DelayModel, IntervalsHoldMostOfANoisyLaw) {
  // Law · exp(N(0, 0.1)): 80 % of new draws should lie inside, and the width should say 0.1.
  std::mt19937_64 rng(5);
  std::normal_distribution<double> noise(0, 0.1);
  std::vector<Measurement> all;
  auto draw = [&](const Call& c) { return fixture::law_s(c) * std::exp(noise(rng)); };
  for (int i = 0; i < 120; ++i) {
    const Call c = fixture::random_gemm(rng);
    all.push_back(timed(c, {draw(c)}));
  }
  const auto t = make_table(fixture::device(), fixture::ceilings(), all, {});
  int inside = 0;
  std::vector<double> widths;
  for (int i = 0; i < 400; ++i) {
    const Call c = fixture::random_gemm(rng);
    const Prediction p = predict_call(t, c);
    const double s = draw(c);
    inside += p.low_s <= s && s <= p.high_s;
    widths.push_back(std::log(p.high_s / p.low_s) / 2);
  }
  EXPECT_GT(inside, 0.70 * 400);
  EXPECT_LT(inside, 0.92 * 400);
  EXPECT_NEAR(median(widths), 0.128, 0.05);
}

TEST(DelayModel, FewPointsAreOneConstant) {
  for (int n = 1; n <= 5; ++n) {
    std::vector<Measurement> few;
    for (int i = 0; i < n; ++i) {
      const Call c = gemm(1 << (2 * i), 4096, 4096);
      few.push_back(timed(c, {1e-6 + 2 * fixture::ideal_s(c)}));
    }
    const auto t = make_table(fixture::device(), fixture::ceilings(), few, {});
    ASSERT_EQ(t.curves.size(), 1u);
    EXPECT_EQ(t.curves[0].kind, "constant");
    const Prediction p = predict_call(t, gemm(3, 4096, 4096));
    EXPECT_TRUE(std::isfinite(p.seconds));
    EXPECT_GT(p.high_s, 1.15 * p.low_s);
  }
}

TEST(DelayModel, DuplicatesAndConstantColumnsDoNoHarm) {
  std::vector<Measurement> same;
  for (int i = 0; i < 40; ++i) same.push_back(timed(gemm(1 + i / 4, 4096, 4096), {2e-4, 2.1e-4}));
  const auto t = make_table(fixture::device(), fixture::ceilings(), same, {});
  const Prediction p = predict_call(t, gemm(12, 4096, 4096));
  EXPECT_NEAR(p.seconds, 2e-4, 0.3e-4);
  EXPECT_TRUE(std::isfinite(p.high_s));
}

TEST(DelayModel, AProcessKeepsAFewHundredOfManyPoints) {
  const auto t = make_table(fixture::device(), fixture::ceilings(), fixture::sweep(1400), {});
  for (const Curve& c : t.curves) {
    EXPECT_EQ(c.samples.size(), std::min<std::size_t>(c.count, 512u));
    EXPECT_GT(c.count, 400u);
  }
}

TEST(DelayModel, OneByOneAndTogetherAnswerAlike) {
  std::mt19937_64 rng(8);
  std::vector<Call> calls;
  for (int i = 0; i < 21; ++i) calls.push_back(fixture::random_gemm(rng));   // no whole blocks
  calls.push_back({.op = "softmax", .dims = {4, 4}, .dtype = Dtype::kF32});  // of no curve
  std::vector<DelayModel::Question> questions;
  for (const Call& c : calls) questions.push_back({&c, fixture::ideal_s(calls[0])});
  const auto together = swept().model->delays(questions);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto alone = swept().model->delay(calls[i], questions[i].ideal_s);
    ASSERT_EQ(alone.has_value(), together[i].has_value());
    if (!alone) continue;
    EXPECT_DOUBLE_EQ(alone->seconds, together[i]->seconds);
    EXPECT_DOUBLE_EQ(alone->high_s, together[i]->high_s);
  }
  EXPECT_FALSE(together.back());
}

// Beyond what was measured a call grows as its roofline does: monotone in each dim.
TEST(DelayModel, GrowsWithEachDimBeyondTheDomain) {
  const Curve& c = swept().curves.at(0);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Call call = gemm(512, 1024, 1024);
    double before = 0, doubt = 0;
    for (int64_t d = c.dims_high[axis]; d < (int64_t{1} << 23); d *= 3) {
      call.dims[axis] = d;
      const Prediction p = predict_call(swept(), call);
      EXPECT_GE(p.seconds, before) << to_string(call);
      EXPECT_GE(std::log(p.high_s / p.low_s), doubt * 0.999) << to_string(call);
      before = p.seconds;
      doubt = std::log(p.high_s / p.low_s);
    }
    EXPECT_GT(doubt, 1);
  }
}

TEST(DelayModel, AlignmentSeenInTheDataIsLearned) {
  // Rows of C that are not whole 16-byte packs take twice as long.
  auto law = [](const Call& c) { return fixture::law_s(c) * (c.dims[1] % 8 == 0 ? 1 : 2); };
  std::mt19937_64 rng(3);
  auto random = [&] {
    Call c = fixture::random_gemm(rng);
    if (rng() % 2) c.dims[1] = (c.dims[1] + 63) / 64 * 64;
    return c;
  };
  std::vector<Measurement> all;
  for (int i = 0; i < 120; ++i) {
    const Call c = random();
    all.push_back(timed(c, {law(c)}));
  }
  const auto t = make_table(fixture::device(), fixture::ceilings(), all, {});
  std::vector<double> errors;
  for (int i = 0; i < 200; ++i) {
    const Call c = random();
    errors.push_back(std::abs(predict_call(t, c).seconds / law(c) - 1));
  }
  EXPECT_LT(median(errors), 0.08);
}

TEST(DelayModel, ATableOfTwentyCurvesIsFittedWithinSeconds) {
  std::vector<Measurement> all;
  std::mt19937_64 rng(11);
  for (int curve = 0; curve < 5; ++curve)  // a quarter of it, to keep the tests short
    for (int i = 0; i < 150; ++i) {
      Call c = fixture::random_gemm(rng);
      c.implementation = "made_up_" + std::to_string(curve);
      all.push_back(timed(c, {fixture::law_s(c) * (1 + 0.1 * std::sin(i))}));
    }
  const auto start = std::chrono::steady_clock::now();
  make_table(fixture::device(), fixture::ceilings(), all, {});
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("fit_5_curves_of_150_s", std::to_string(s));
  std::printf("5 curves of 150 points: %.2f s\n", s);
  EXPECT_LT(s, 10);  // 1.25 s on an idle core; machines that run tests are not idle
}

TEST(PhysicsFeatures, NamesAndValuesAgree) {
  for (const OpSpec& spec : operators()) {
    Ceilings c = fixture::ceilings();
    for (const auto& dims : spec.test_dims) {
      const Call call{.op = spec.name, .dims = dims, .dtype = spec.dtypes.at(0)};
      const Work w = spec.work(call);
      c.values[ceiling_name(w.pipe, w.arithmetic)] = {.value = 1e13};
      const PhysicsFeatures features(spec, call.dtype, c, 16, 4e6);
      // Places that are not written keep this.
      std::vector<float> f(features.size() + 1, -12345);
      features(call, std::span(f).first(features.size()));
      for (std::size_t j = 0; j < features.size(); ++j) {
        EXPECT_TRUE(std::isfinite(f[j])) << to_string(call) << " " << features.names()[j];
        EXPECT_NE(f[j], -12345) << features.names()[j];
      }
      EXPECT_EQ(f.back(), -12345) << spec.name;
    }
  }
}

// 17 tiles of 128 × 128 on 16 units: the second wave has one tile.
TEST(PhysicsFeatures, TellTheIdleUnitsOfTheLastWave) {
  const PhysicsFeatures features(find_operator("gemm"), Dtype::kF32, fixture::ceilings(), 16, 4e6);
  std::vector<float> f(features.size());
  features(gemm(17 * 128, 128, 4096), f);
  const auto at = std::find(features.names().begin(), features.names().end(), "waves 128x128");
  ASSERT_NE(at, features.names().end());
  EXPECT_NEAR(f[static_cast<std::size_t>(at - features.names().begin())], std::log(32.0 / 17),
              1e-5);
}

}  // namespace
}  // namespace ridge
