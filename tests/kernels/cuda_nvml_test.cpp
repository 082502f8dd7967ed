#include <gtest/gtest.h>

#include "kernels/cuda/nvml.h"

namespace ridge::cuda {
namespace {

TEST(Nvml, AnswersInSiUnits) {
  const Nvml nvml("0000:1B:00.0", RIDGE_FAKE_NVML);
  ASSERT_TRUE(nvml.available());
  const Telemetry t = nvml.telemetry();
  EXPECT_DOUBLE_EQ(t.sm_clock_hz.value(), 1755e6);
  EXPECT_DOUBLE_EQ(t.memory_clock_hz.value(), 3201e6);
  EXPECT_DOUBLE_EQ(t.power_w.value(), 612.345);
  EXPECT_EQ(t.throttle_reasons, "sw_power_cap+hw_thermal_slowdown");
}

TEST(Nvml, RefusedQueriesAreAbsent) {
  EXPECT_FALSE(Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).telemetry().temperature_c.has_value());
}

TEST(Nvml, ProvenanceTellsTheCurrentModes) {
  const auto p = Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).provenance();
  EXPECT_EQ(p.at("driver"), "580.65.06");
  EXPECT_EQ(p.at("ecc"), "on");
  EXPECT_EQ(p.at("mig"), "off");
  EXPECT_EQ(p.at("power_limit_w"), "700");
  EXPECT_EQ(p.at("max_sm_clock_hz"), "1980000000");
  EXPECT_FALSE(p.contains("persistence"));  // the library lacks the function
}

void expect_silence(const Nvml& nvml) {
  EXPECT_FALSE(nvml.available());
  EXPECT_FALSE(nvml.telemetry().sm_clock_hz.has_value());
  EXPECT_EQ(nvml.telemetry().throttle_reasons, "");
  EXPECT_TRUE(nvml.provenance().empty());
}

TEST(Nvml, MissingLibraryOrCardAnswersNothing) {
  expect_silence(Nvml("0000:1B:00.0", "libno-such-library.so"));
  expect_silence(Nvml("0000:99:00.0", RIDGE_FAKE_NVML));
}

TEST(Nvml, IdlenessIsNoThrottling) {
  EXPECT_EQ(throttle_names(0), "");
  EXPECT_EQ(throttle_names(0x1), "");
  EXPECT_EQ(throttle_names(0x1 | 0x20), "sw_thermal_slowdown");
  EXPECT_EQ(throttle_names(uint64_t{1} << 40), "unknown_reason");
}

}  // namespace
}  // namespace ridge::cuda
