#include "kernels/core/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

namespace ridge {
namespace {

double round_trip(Dtype t, double value) {
  std::array<std::byte, 4> memory{};
  store_element(t, memory.data(), value);
  return load_element(t, memory.data());
}

uint32_t bits(Dtype t, double value) {
  std::array<std::byte, 4> memory{};
  store_element(t, memory.data(), value);
  uint32_t word = 0;
  std::memcpy(&word, memory.data(), 4);
  return word;
}

TEST(Dtype, HalfHasTheKnownBitPatterns) {  // IEEE 754 binary16
  EXPECT_EQ(bits(Dtype::kF16, 1.0), 0x3C00u);
  EXPECT_EQ(bits(Dtype::kF16, -2.0), 0xC000u);
  EXPECT_EQ(bits(Dtype::kF16, 65504.0), 0x7BFFu);
  EXPECT_EQ(bits(Dtype::kF16, 65520.0), 0x7C00u);               // rounds to infinity
  EXPECT_EQ(bits(Dtype::kF16, std::ldexp(1.0, -24)), 0x0001u);  // the smallest subnormal
  EXPECT_EQ(bits(Dtype::kF16, std::ldexp(1.0, -25)), 0x0000u);  // a tie goes to even
  EXPECT_EQ(bits(Dtype::kF16, 1.0 + std::ldexp(1.0, -11)), 0x3C00u);
}

TEST(Dtype, Bfloat16IsTheUpperHalfOfAFloat) {
  EXPECT_EQ(bits(Dtype::kBf16, 1.0), 0x3F80u);
  EXPECT_EQ(bits(Dtype::kBf16, 3.140625), 0x4049u);
  EXPECT_EQ(bits(Dtype::kBf16, -0.0), 0x8000u);
}

TEST(Dtype, E4M3SaturatesAt448AndHasNoInfinity) {  // OCP 8-bit floating point, E4M3
  EXPECT_EQ(bits(Dtype::kF8E4M3, 448.0), 0x7Eu);
  EXPECT_EQ(round_trip(Dtype::kF8E4M3, 1e9), 448.0);
  EXPECT_EQ(bits(Dtype::kF8E4M3, 1.0), 0x38u);
  EXPECT_EQ(bits(Dtype::kF8E4M3, std::ldexp(1.0, -9)), 0x01u);
  EXPECT_TRUE(std::isnan(round_trip(Dtype::kF8E4M3, NAN)));
}

TEST(Dtype, EveryPatternSurvivesARoundTrip) {
  for (Dtype t : {Dtype::kF16, Dtype::kBf16, Dtype::kF8E4M3, Dtype::kInt8}) {
    const uint32_t patterns = bytes_per_element(t) == 2 ? 1u << 16 : 1u << 8;
    for (uint32_t p = 0; p < patterns; ++p) {
      std::array<std::byte, 4> memory{};
      std::memcpy(memory.data(), &p, 4);
      const double value = load_element(t, memory.data());
      if (std::isnan(value)) continue;
      ASSERT_EQ(bits(t, value), p) << name(t);
    }
  }
}

}  // namespace
}  // namespace ridge
