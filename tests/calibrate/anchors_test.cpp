// Anchors raise the ceilings that they beat, and no others.
#include "calibrate/anchors.h"

#include <gtest/gtest.h>

namespace ridge {
namespace {

Measurement copy_at(double seconds) {
  Measurement m;
  m.call = {"stream_copy", {16384 * 64, 64, 1, 0}, Dtype::kF32, "plain"};  // moves 8 MiB
  m.samples_s = {seconds, seconds, seconds};
  m.anchor = true;
  return m;
}

Ceilings slow() {
  Ceilings c;
  c.values["dram.copy"] = {.value = 8e9, .unit = "byte/s", .method = "before"};
  c.values["dram.read"] = {.value = 9e9, .unit = "byte/s", .method = "before"};
  return c;
}

TEST(RaiseCeilings, TakesTheBestThatWasSeen) {
  Ceilings c = slow();
  EXPECT_TRUE(raise_ceilings(c, {copy_at(1e-3), copy_at(0.5e-3), copy_at(0.8e-3)}));
  EXPECT_NEAR(c.values["dram.copy"].value, 8.0 * (1 << 20) / 0.5e-3, 1);
  EXPECT_NE(c.values["dram.copy"].method, "before");
  EXPECT_EQ(c.values["dram.read"].value, 9e9);
}

TEST(RaiseCeilings, NeverLowersAndTakesAnchorsOnly) {
  Ceilings c = slow();
  Measurement sweep = copy_at(1e-6), wrong = copy_at(1e-6);
  sweep.anchor = false;
  wrong.status = Status::kWrong;
  EXPECT_FALSE(raise_ceilings(c, {copy_at(1), sweep, wrong}));
  EXPECT_EQ(c.values["dram.copy"].value, 8e9);
}

}  // namespace
}  // namespace ridge
