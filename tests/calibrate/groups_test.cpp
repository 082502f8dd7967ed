// What a calibration sweeps, and what it leaves out and why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/run.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "tests/calibrate/test_ceilings.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

using testing::HasSubstr;

TEST(Groups, KnowsOperatorsByEitherName) {
  FakeBackend fake;
  const Ceilings ceilings = every_ceiling(fake.info.name);
  const PlanLimits limits = limits_of(fake, 60);
  NotHere skipped;
  const auto groups = groups_of(fake, ceilings, limits, {"rmsnorm"}, &skipped);
  EXPECT_EQ(groups.size(), find_operator("rmsnorm").dtypes.size());
  EXPECT_EQ(groups_of(fake, ceilings, limits, {"RMS_Norm"}, &skipped), groups);
  EXPECT_TRUE(skipped.empty());
  try {
    (void)groups_of(fake, ceilings, limits, {"rmsnorm", "divination"}, &skipped);
    FAIL() << "an unknown operator was accepted";
  } catch (const BadInput& e) {
    EXPECT_THAT(e.what(), HasSubstr("divination"));
  }
}

// f64 is on the roofline alone: no LLM computes in it, and its calls would take others' time.
TEST(Groups, SweepsNoDtypeThatOnlyMeasuresACeiling) {
  const OpSpec& gemm = find_operator("gemm");
  EXPECT_TRUE(is_swept(gemm, Dtype::kF32));
  EXPECT_FALSE(is_swept(gemm, Dtype::kF64));
  FakeBackend fake;
  const PlanLimits limits = limits_of(fake, 60);
  const auto groups = groups_of(fake, every_ceiling("x"), limits, {"gemm"}, nullptr);
  EXPECT_EQ(groups.size(), gemm.dtypes.size() - gemm.unswept.size());
  for (const Group& group : groups) EXPECT_NE(group.dtype, Dtype::kF64);
}

TEST(Groups, SweepsNoProbesAndSaysWhatIsSkippedAndWhy) {
  FakeBackend fake;
  const PlanLimits limits = limits_of(fake, 60);
  for (const Group& group : groups_of(fake, every_ceiling(fake.info.name), limits, {}, nullptr))
    EXPECT_TRUE(!find_operator(group.op).probe && find_operator(group.op).no_launch.empty())
        << group.op;
  fake.unsupported = "only on sm_89 and later";
  NotHere skipped;
  EXPECT_TRUE(groups_of(fake, every_ceiling("x"), limits, {"gemm"}, &skipped).empty());
  const OpSpec& gemm = find_operator("gemm");
  EXPECT_EQ(skipped["gemm"].size(), gemm.dtypes.size() - gemm.unswept.size());
  for (const auto& [dtype, why] : skipped["gemm"]) EXPECT_EQ(why, "only on sm_89 and later");

  Ceilings no_int8 = every_ceiling("x");
  no_int8.values.erase("matrix.int8");
  fake.unsupported = "";
  skipped.clear();
  for (const Group& group : groups_of(fake, no_int8, limits, {"gemm"}, &skipped))
    EXPECT_NE(group.dtype, Dtype::kInt8);
  ASSERT_EQ(skipped["gemm"].size(), 1u);
  EXPECT_THAT(skipped["gemm"]["int8"], HasSubstr("matrix.int8"));
}

}  // namespace
}  // namespace ridge
