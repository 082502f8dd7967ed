// Holds for every operator, with no word about any of them: the work formula is positive and
// grows with every axis, bad dims are refused by name, and each CPU launch equals its
// double-precision reference.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "kernels/cpu/cpu_backend.h"
#include "profilers/verify.h"

namespace ridge {
namespace {

Backend& cpu() {
  static const std::unique_ptr<Backend> backend = open_cpu_backend();
  return *backend;
}

class EveryOperator : public testing::TestWithParam<std::string> {};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const OpSpec& spec : operators()) all.push_back(spec.name);
  return all;
}

TEST_P(EveryOperator, WorkIsPositiveAndGrowsWithEveryAxis) {
  const OpSpec& spec = find_operator(GetParam());
  ASSERT_FALSE(spec.test_dims.empty());
  for (const auto& dims : spec.test_dims) {
    const Call call{spec.name, dims, spec.dtypes.front(), ""};
    const Work w = spec.work(call);
    EXPECT_GT(w.flops + w.bytes_read + w.bytes_written, 0) << to_string(call);
    EXPECT_GE(std::min({w.flops, w.bytes_read, w.bytes_written}), 0) << to_string(call);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (spec.axes[axis].growth == Growth::kFree) continue;
      Call larger = call;
      larger.dims[axis] *= 2;
      if (larger.dims[axis] > spec.axes[axis].max || !spec.constraint(larger).empty()) continue;
      const Work more = spec.work(larger);
      EXPECT_GE(more.flops, w.flops) << to_string(larger);
      EXPECT_GE(more.bytes_read + more.bytes_written, w.bytes_read + w.bytes_written)
          << to_string(larger);
    }
  }
}

TEST_P(EveryOperator, RefusesBadDimsByName) {
  const OpSpec& spec = find_operator(GetParam());
  for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
    Call call{spec.name, spec.test_dims.front(), spec.dtypes.front(), ""};
    call.dims[axis] = -3;
    try {
      validate(spec, call);
      FAIL() << spec.axes[axis].name << " = -3 was accepted";
    } catch (const BadInput& e) {
      EXPECT_NE(std::string(e.what()).find(spec.axes[axis].name + "=-3"), std::string::npos)
          << e.what();
    }
  }
}

TEST_P(EveryOperator, CpuLaunchesEqualTheReference) {
  const OpSpec& spec = find_operator(GetParam());
  if (!spec.no_launch.empty()) GTEST_SKIP() << spec.name << " " << spec.no_launch;
  Arena arena(cpu(), 7);
  int checked = 0;
  for (const auto& dims : spec.test_dims) {
    for (Dtype dtype : spec.dtypes) {
      const Call call{spec.name, dims, dtype, ""};
      ASSERT_NO_THROW(validate(spec, call)) << to_string(call);
      for (const std::string& implementation : cpu().implementations(call, nullptr)) {
        Call one = call;
        one.implementation = implementation;
        for (const Operands& operands : arena.operands(spec, one, 2)) {
          const auto launch = cpu().bind(one, operands.arguments);
          const Verdict v = verify(cpu(), spec, one, operands, *launch, 11, 1.0);
          EXPECT_TRUE(v.correct) << to_string(one) << ": " << v.reason;
          ++checked;
        }
      }
    }
  }
  // A probe may be of something that only GPUs have.
  if (checked == 0 && spec.probe) GTEST_SKIP() << "no CPU implementation of " << spec.name;
  EXPECT_GT(checked, 0) << "no CPU implementation of " << spec.name;
}

TEST_P(EveryOperator, WithoutALaunchSaysWhy) {
  const OpSpec& spec = find_operator(GetParam());
  if (spec.no_launch.empty()) {
    EXPECT_TRUE(spec.reference && spec.tolerance) << "nothing to check its launches against";
    return;
  }
  std::string why;
  const Call call{spec.name, spec.test_dims.front(), spec.dtypes.front(), ""};
  EXPECT_TRUE(cpu().implementations(call, &why).empty());
  EXPECT_NE(why.find(spec.no_launch), std::string::npos) << why;
}

INSTANTIATE_TEST_SUITE_P(All, EveryOperator, testing::ValuesIn(names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace ridge
