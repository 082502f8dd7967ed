#include "calibrate/compact_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "calibrate/delay_model.h"
#include "kernels/core/error.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

// A curve of many GEMMs, more than its process goes through, and one of few norms.
constexpr std::size_t kMany = 700;

const DelayTable& large() {
  static const DelayTable table = fixture::table(kMany);
  return table;
}

const DelayTable& small() {
  static const DelayTable table = compact_table(large(), kMany - 100);
  return table;
}

const Curve& curve_of(const DelayTable& t, const std::string& op) {
  return *std::find_if(t.curves.begin(), t.curves.end(),
                       [&](const Curve& c) { return c.op == op; });
}

std::size_t samples_of(const DelayTable& t, const std::string& op) {
  return static_cast<std::size_t>(std::count_if(t.samples.begin(), t.samples.end(),
                                                [&](const Sample& s) { return s.call.op == op; }));
}

TEST(CompactTable, KeepsTheSamplesOfTheProcessAndOfSmallCurves) {
  const Curve& gemm = curve_of(small(), "gemm");
  EXPECT_GE(gemm.count, kMany - 100);
  EXPECT_EQ(samples_of(small(), "gemm"), gemm.samples.size());
  EXPECT_LT(gemm.samples.size(), gemm.count);
  EXPECT_EQ(samples_of(small(), "rmsnorm"), samples_of(large(), "rmsnorm"));
  EXPECT_EQ(curve_of(small(), "rmsnorm").direct, curve_of(large(), "rmsnorm").direct);
  for (const Curve& c : small().curves)
    for (const std::size_t i : c.samples) EXPECT_EQ(small().samples.at(i).call.op, c.op);
}

TEST(CompactTable, HasOneForest) {
  const Curve& c = curve_of(small(), "gemm");
  EXPECT_NE(c.direct.trees() == 0, c.beyond.trees() == 0);
  EXPECT_EQ(c.direct.leaves.size() + c.beyond.leaves.size(), 400u << 7);
}

TEST(CompactTable, LeavesSmallCurvesAsTheyAre) {
  const DelayTable same = compact_table(large());
  EXPECT_EQ(same.curves, large().curves);
  EXPECT_EQ(same.samples, large().samples);
}

TEST(CompactTable, PredictsAsWellWithinTheErrorThatItStates) {
  std::mt19937_64 rng(7);
  double was = 0, is = 0;
  int inside = 0;
  constexpr int kCalls = 400;
  for (int i = 0; i < kCalls; ++i) {
    const Call call = fixture::random_gemm(rng);
    const double truth = fixture::law_s(call), ideal = fixture::ideal_s(call);
    const Delay before = *large().model->delay(call, ideal),
                now = *small().model->delay(call, ideal);
    was += std::abs(before.seconds / truth - 1) / kCalls;
    is += std::abs(now.seconds / truth - 1) / kCalls;
    inside += now.low_s <= truth && truth <= now.high_s;
  }
  EXPECT_LT(is, was + 0.005);
  EXPECT_LT(is, 2 * curve_of(small(), "gemm").cv_mean_error);
  EXPECT_GT(inside, 0.65 * kCalls);
}

TEST(CompactTable, SaysHowManyCallsACurveStandsOn) {
  EXPECT_THAT(small().notes,
              testing::Contains(testing::HasSubstr("gemm f32 made_up: its curve stands on ")));
  EXPECT_EQ(curve_of(small(), "gemm").count, curve_of(large(), "gemm").count);
}

TEST(CompactTable, IsReadBackAsItWas) {
  const auto path = std::filesystem::temp_directory_path() / "ridge-compact.json";
  save_table(small(), path);
  const DelayTable read = load_table(path);
  std::filesystem::remove(path);
  EXPECT_EQ(read.curves, small().curves);
  EXPECT_EQ(read.samples, small().samples);
}

TEST(CompactTable, WithoutSamplesThereIsNothingToGrowOn) {
  DelayTable empty = large();
  empty.samples.clear();
  EXPECT_THROW(compact_table(empty), BadInput);
}

}  // namespace
}  // namespace ridge
