// Percent of datasheet and of the clock, and the verdicts.
#include <gtest/gtest.h>

#include "roofline/measure_roofline.h"

namespace ridge {
namespace {

TEST(Judge, HoldsAGpuAgainstItsDatasheetAndItsClock) {
  Ceilings c;
  c.device = "NVIDIA H200";
  // 800 of 989.4 TFLOP/s at 1.6 of 1.98 GHz: all that the clock allows.
  c.values["matrix.bf16.gemm"] = {.value = 800e12, .unit = "flop/s", .clock_hz = 1.6e9};
  c.values["dram.read"] = {.value = 4.5e12, .unit = "byte/s"};
  c.values["dram.copy"] = {.value = 1e12, .unit = "byte/s"};
  c.values["l2.read"] = {.value = 7e12, .unit = "byte/s"};
  judge(c, {.kind = "cuda", .name = "NVIDIA H200", .units = 132});
  EXPECT_NEAR(c.values["matrix.bf16.gemm"].of_datasheet, 0.8086, 1e-3);
  EXPECT_NEAR(c.values["matrix.bf16.gemm"].of_clock, 1.0006, 1e-3);
  EXPECT_EQ(c.values["dram.read"].verdict, Verdict::kInside);
  EXPECT_EQ(c.values["dram.copy"].verdict, Verdict::kOutside);
  EXPECT_EQ(c.values["l2.read"].verdict, Verdict::kUnknown);
}

TEST(Judge, CountsACpusPipesByItsMeasuredClock) {
  Ceilings c;
  c.values["clock"] = {.value = 4e9, .unit = "Hz"};
  // Two cores, two pipes of 16 lanes, 4 GHz: 512 GFLOP/s.
  c.values["vector.f32.avx512"] = {.value = 500e9, .unit = "flop/s"};
  c.values["vector.f64.avx2"] = {.value = 128e9, .unit = "flop/s"};
  judge(c, {.kind = "cpu", .name = "Fake CPU", .units = 2});
  EXPECT_NEAR(c.values["vector.f32.avx512"].of_clock, 500.0 / 512, 1e-9);
  EXPECT_NEAR(c.values["vector.f64.avx2"].of_clock, 1, 1e-9);
  EXPECT_EQ(c.values["vector.f32.avx512"].verdict, Verdict::kInside);
  EXPECT_EQ(c.values["vector.f32.avx512"].clock_hz, 4e9);
}

}  // namespace
}  // namespace ridge
