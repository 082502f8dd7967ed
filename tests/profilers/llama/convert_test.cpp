// Conversions against numbers known from the formats' definitions, and against load and store.
#include "profilers/llama/convert.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/core/error.h"
#include "tests/error_of.h"
#include "tests/profilers/llama/files.h"

namespace ridge {
namespace {

using testing::HasSubstr;

template <class T>
TensorView tensor(Dtype t, const std::vector<T>& values) {
  return {.name = "x",
          .format = safetensors_format(t),
          .dtype = t,
          .shape = {static_cast<int64_t>(values.size())},
          .bytes = std::as_bytes(std::span(values))};
}

template <class To, class From>
std::vector<To> converted(Dtype from, const std::vector<From>& values, Dtype to) {
  std::vector<To> out(values.size());
  convert(tensor(from, values), to, std::as_writable_bytes(std::span(out)));
  return out;
}

std::vector<uint16_t> all_patterns() {
  std::vector<uint16_t> all(1 << 16);
  std::iota(all.begin(), all.end(), uint16_t{0});
  return all;
}

// Same bits, or both NaN.
bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

TEST(Convert, EveryPatternOf16BitsIsTheNumberItStandsFor) {
  const std::vector<uint16_t> patterns = all_patterns();
  const auto halves = converted<float>(Dtype::kF16, patterns, Dtype::kF32);
  const auto brains = converted<float>(Dtype::kBf16, patterns, Dtype::kF32);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    // IEEE 754 binary16, spelled out.
    const int exponent = (patterns[i] >> 10) & 31, mantissa = patterns[i] & 1023;
    double half = exponent == 31  ? (mantissa ? NAN : INFINITY)
                  : exponent == 0 ? std::ldexp(mantissa, -24)
                                  : std::ldexp(1024 + mantissa, exponent - 25);
    if (patterns[i] & 0x8000) half = -half;
    ASSERT_TRUE(same(halves[i], half)) << std::hex << patterns[i];
    // bf16 is the upper half of a float.
    ASSERT_TRUE(same(brains[i], std::bit_cast<float>(static_cast<uint32_t>(patterns[i]) << 16)))
        << std::hex << patterns[i];
  }
}

TEST(Convert, ThereAndBackKeepsEveryNumber) {
  const std::vector<uint16_t> patterns = all_patterns();
  for (const Dtype t : {Dtype::kF16, Dtype::kBf16}) {
    const auto back =
        converted<uint16_t>(Dtype::kF32, converted<float>(t, patterns, Dtype::kF32), t);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const double was = load_element(t, reinterpret_cast<const std::byte*>(&patterns[i]));
      const double is = load_element(t, reinterpret_cast<const std::byte*>(&back[i]));
      ASSERT_TRUE(same(was, is)) << name(t) << std::hex << patterns[i];
    }
  }
}

TEST(Convert, RoundsHalfwaysToEven) {
  const std::vector<float> values = {1.0f + 0x1p-11f, 1.0f + 0x3p-11f, 65519.99f,          65520.0f,
                                     -0x1p-25f,       0x3p-25f,        0x1p-14f - 0x1p-25f};
  EXPECT_EQ(converted<uint16_t>(Dtype::kF32, values, Dtype::kF16),
            (std::vector<uint16_t>{0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x8000, 0x0002, 0x0400}));
  const std::vector<float> brains = {1.0f + 0x1p-8f, 1.0f + 0x3p-8f, 3.4e38f, -0.0f};
  EXPECT_EQ(converted<uint16_t>(Dtype::kF32, brains, Dtype::kBf16),
            (std::vector<uint16_t>{0x3f80, 0x3f82, 0x7f80, 0x8000}));
}

TEST(Convert, RoundsToTheNearerOfEveryPairOfNeighbours) {
  for (const auto& [t, infinity] : {std::pair<Dtype, uint16_t>{Dtype::kF16, uint16_t{0x7c00}},
                                    {Dtype::kBf16, uint16_t{0x7f80}}}) {
    std::vector<uint16_t> patterns(infinity);  // zero and all that are positive and finite
    std::iota(patterns.begin(), patterns.end(), uint16_t{0});
    const auto values = converted<float>(t, patterns, Dtype::kF32);
    std::vector<float> near;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const float middle = values[i] + (values[i + 1] - values[i]) / 2;
      near.insert(near.end(), {std::nextafter(middle, 0.0f), middle,
                               std::nextafter(middle, INFINITY), -middle});
    }
    const auto rounded = converted<uint16_t>(Dtype::kF32, near, t);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const auto low = patterns[i], high = patterns[i + 1];
      const uint16_t even = low % 2 == 0 ? low : high;
      ASSERT_EQ(rounded[4 * i], low) << name(t) << std::hex << low;
      ASSERT_EQ(rounded[4 * i + 1], even) << name(t) << std::hex << low;
      ASSERT_EQ(rounded[4 * i + 2], high) << name(t) << std::hex << low;
      ASSERT_EQ(rounded[4 * i + 3], even | 0x8000) << name(t) << std::hex << low;
    }
  }
}

RC_GTEST_PROP(Convert, RoundsAnyFloatAsTheSlowWayDoes, ()) {
  const auto bits = *rc::gen::arbitrary<std::vector<uint32_t>>();
  for (const Dtype t : {Dtype::kF16, Dtype::kBf16}) {
    const auto fast = converted<uint16_t>(Dtype::kF32, bits, t);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      uint16_t slow = 0;
      store_element(t, reinterpret_cast<std::byte*>(&slow), std::bit_cast<float>(bits[i]));
      RC_ASSERT(same(load_element(t, reinterpret_cast<const std::byte*>(&fast[i])),
                     load_element(t, reinterpret_cast<const std::byte*>(&slow))));
    }
  }
}

TEST(Convert, OtherDtypesAreRoundedOnce) {
  // Just above the middle between two halves: by way of a float it would be a tie, and go down.
  const std::vector<double> tie = {1.0 + 0x1p-11 + 0x1p-40};
  EXPECT_EQ(converted<uint16_t>(Dtype::kF64, tie, Dtype::kF16).front(), 0x3c01);
  EXPECT_EQ(converted<float>(Dtype::kInt8, std::vector<int8_t>{-128, 0, 127}, Dtype::kF32),
            (std::vector<float>{-128, 0, 127}));
  EXPECT_EQ(converted<float>(Dtype::kF8E4M3, std::vector<uint8_t>{0x38, 0xfe}, Dtype::kF32),
            (std::vector<float>{1, -448}));
}

TEST(Convert, ReadsWhatIsNotAligned) {
  std::vector<float> values(5000);
  std::iota(values.begin(), values.end(), -2500.0f);
  std::string bytes(1 + values.size() * sizeof(float), '\0');
  std::memcpy(&bytes[1], values.data(), bytes.size() - 1);
  TensorView odd = tensor(Dtype::kF32, values);
  odd.bytes = std::as_bytes(std::span(bytes)).subspan(1);
  std::vector<float> out(values.size());
  to_floats(odd, out);
  EXPECT_EQ(out, values);
  std::vector<uint16_t> narrow(values.size());
  convert(odd, Dtype::kBf16, std::as_writable_bytes(std::span(narrow)));
  EXPECT_EQ(narrow, converted<uint16_t>(Dtype::kF32, values, Dtype::kBf16));
}

TEST(Convert, RefusesWhatIsNoNumberToItAndRoomThatDoesNotFit) {
  const std::string eight = "12345678";
  std::vector<float> one(1), two(2);
  const TensorView t = view("ids", "I64", {1}, std::as_bytes(std::span(eight)));
  EXPECT_THAT(error_of([&] { to_floats(t, one); }), HasSubstr("tensor 'ids': I64"));
  EXPECT_THROW(to_floats(tensor(Dtype::kF32, one), two), std::length_error);
  to_floats(tensor(Dtype::kF32, std::vector<float>{}), {});
}

}  // namespace
}  // namespace ridge
