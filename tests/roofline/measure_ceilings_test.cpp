// Ceilings of a scripted device are the rates that its script has.
#include "roofline/measure_ceilings.h"

#include <gtest/gtest.h>

#include "kernels/core/operators.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

TEST(MeasureCeilings, LeaveOutWhatDoesNotRunAndPutTheOptionsBack) {
  FakeBackend fake;
  fake.unsupported = "nothing runs here";
  Sampler sampler(fake, {.time_budget_s = 0.123});
  const Ceilings c = measure_ceilings(fake, sampler, 1, nullptr);
  EXPECT_TRUE(c.values.empty());
  EXPECT_EQ(c.device, "Fake 9000");
  EXPECT_EQ(sampler.options().time_budget_s, 0.123);
}

TEST(MeasureCeilings, KeepNoRateOfAKernelThatComputesWrongly) {
  FakeBackend fake;  // computes rmsnorm whatever it is asked for: every probe is wrong
  fake.info.last_level_cache_bytes = 1 << 10;
  fake.on_bind = [](const Call&, const Arguments& a) -> std::unique_ptr<Launch> {
    return std::make_unique<FakeLaunch>(a, [] {});
  };
  Sampler sampler(fake, {});
  const Ceilings c = measure_ceilings(fake, sampler, 1, nullptr);
  EXPECT_TRUE(c.values.empty()) << c.values.begin()->first;
}

}  // namespace
}  // namespace ridge
