#include "kernels/core/dtype.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels/core/error.h"

namespace ridge {
namespace {

// A binary floating-point format narrower than f32. `finite_only` formats (f8e4m3) spend the top
// exponent on numbers and keep a single NaN pattern.
struct FloatFormat {
  int exponent_bits;
  int mantissa_bits;
  bool finite_only;
  double largest;
};
constexpr FloatFormat kHalf{5, 10, false, 65504.0};
constexpr FloatFormat kBrain{8, 7, false, 3.3895313892515355e38};
constexpr FloatFormat kE4M3{4, 3, true, 448.0};

uint32_t encode(const FloatFormat& f, double value) {
  const uint32_t sign = std::signbit(value) ? 1u << (f.exponent_bits + f.mantissa_bits) : 0;
  const uint32_t top_exponent = ((1u << f.exponent_bits) - 1) << f.mantissa_bits;
  if (std::isnan(value)) return sign | top_exponent | ((1u << f.mantissa_bits) - 1);
  const double magnitude = std::fabs(value);
  const int bias = (1 << (f.exponent_bits - 1)) - 1;
  // The unit in the last place at this magnitude; subnormals share the smallest exponent's.
  const bool regular = magnitude > 0 && !std::isinf(magnitude);
  const int exponent = regular ? std::max(std::ilogb(magnitude), 1 - bias) : 1 - bias;
  const double ulp = std::ldexp(1.0, exponent - f.mantissa_bits);
  const double rounded =
      std::isinf(magnitude) ? magnitude : std::nearbyint(magnitude / ulp) * ulp;  // ties to even
  if (rounded > f.largest) {
    if (!f.finite_only) return sign | top_exponent;
    return sign | (top_exponent | ((1u << f.mantissa_bits) - 2));  // 448
  }
  if (rounded == 0) return sign;
  const int e = std::max(std::ilogb(rounded), 1 - bias);
  const auto mantissa = static_cast<uint32_t>(std::ldexp(rounded, f.mantissa_bits - e));
  const uint32_t hidden = 1u << f.mantissa_bits;
  if (mantissa < hidden) return sign | mantissa;  // subnormal
  return sign | (static_cast<uint32_t>(e + bias) << f.mantissa_bits) | (mantissa - hidden);
}

double decode(const FloatFormat& f, uint32_t bits) {
  const uint32_t mantissa = bits & ((1u << f.mantissa_bits) - 1);
  const uint32_t field = (bits >> f.mantissa_bits) & ((1u << f.exponent_bits) - 1);
  const double sign = (bits >> (f.exponent_bits + f.mantissa_bits)) & 1 ? -1.0 : 1.0;
  const int bias = (1 << (f.exponent_bits - 1)) - 1;
  const bool top = field == (1u << f.exponent_bits) - 1;
  if (top && f.finite_only && mantissa == (1u << f.mantissa_bits) - 1) return NAN;
  if (top && !f.finite_only) return mantissa ? NAN : sign * INFINITY;
  if (field == 0) return sign * std::ldexp(mantissa, 1 - bias - f.mantissa_bits);
  const uint32_t full = mantissa | (1u << f.mantissa_bits);
  return sign * std::ldexp(full, static_cast<int>(field) - bias - f.mantissa_bits);
}

template <class T>
T read(const std::byte* address) {
  T value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

template <class T>
void write(std::byte* address, T value) {
  std::memcpy(address, &value, sizeof value);
}

template <class Int>
Int saturate(double value) {
  const double low = std::numeric_limits<Int>::min(), high = std::numeric_limits<Int>::max();
  return static_cast<Int>(std::clamp(std::nearbyint(value), low, high));
}

}  // namespace

std::size_t bytes_per_element(Dtype t) {
  switch (t) {
    case Dtype::kF32:
    case Dtype::kTf32:
    case Dtype::kInt32:
      return 4;
    case Dtype::kF64:
      return 8;
    case Dtype::kF16:
    case Dtype::kBf16:
      return 2;
    case Dtype::kF8E4M3:
    case Dtype::kInt8:
      return 1;
  }
  throw BadInput("unknown dtype");
}

std::string_view name(Dtype t) {
  switch (t) {
    case Dtype::kF32:
      return "f32";
    case Dtype::kTf32:
      return "tf32";
    case Dtype::kF16:
      return "f16";
    case Dtype::kBf16:
      return "bf16";
    case Dtype::kF8E4M3:
      return "f8e4m3";
    case Dtype::kInt8:
      return "int8";
    case Dtype::kInt32:
      return "int32";
    case Dtype::kF64:
      return "f64";
  }
  throw BadInput("unknown dtype");
}

Dtype parse_dtype(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Dtype>, 22> kNames{{
      {"f32", Dtype::kF32},         {"fp32", Dtype::kF32},      {"float32", Dtype::kF32},
      {"float", Dtype::kF32},       {"tf32", Dtype::kTf32},     {"f16", Dtype::kF16},
      {"fp16", Dtype::kF16},        {"float16", Dtype::kF16},   {"half", Dtype::kF16},
      {"bf16", Dtype::kBf16},       {"bfloat16", Dtype::kBf16}, {"f8e4m3", Dtype::kF8E4M3},
      {"fp8", Dtype::kF8E4M3},      {"f8", Dtype::kF8E4M3},     {"e4m3", Dtype::kF8E4M3},
      {"fp8_e4m3", Dtype::kF8E4M3}, {"int8", Dtype::kInt8},     {"int32", Dtype::kInt32},
      {"f64", Dtype::kF64},         {"fp64", Dtype::kF64},      {"float64", Dtype::kF64},
      {"double", Dtype::kF64},
  }};
  for (const auto& [known, dtype] : kNames)
    if (known == text) return dtype;
  throw BadInput("unknown dtype '" + std::string(text) +
                 "'; use one of f64 f32 tf32 f16 bf16 f8e4m3 int8 int32");
}

double load_element(Dtype t, const std::byte* address) {
  switch (t) {
    case Dtype::kF32:
    case Dtype::kTf32:
      return read<float>(address);
    case Dtype::kF16:
      return decode(kHalf, read<uint16_t>(address));
    case Dtype::kBf16:
      return decode(kBrain, read<uint16_t>(address));
    case Dtype::kF8E4M3:
      return decode(kE4M3, read<uint8_t>(address));
    case Dtype::kInt8:
      return read<int8_t>(address);
    case Dtype::kInt32:
      return read<int32_t>(address);
    case Dtype::kF64:
      return read<double>(address);
  }
  throw BadInput("unknown dtype");
}

void store_element(Dtype t, std::byte* address, double value) {
  switch (t) {
    case Dtype::kF32:
    case Dtype::kTf32:
      return write(address, static_cast<float>(value));
    case Dtype::kF16:
      return write(address, static_cast<uint16_t>(encode(kHalf, value)));
    case Dtype::kBf16:
      return write(address, static_cast<uint16_t>(encode(kBrain, value)));
    case Dtype::kF8E4M3:
      return write(address, static_cast<uint8_t>(encode(kE4M3, value)));
    case Dtype::kInt8:
      return write(address, saturate<int8_t>(value));
    case Dtype::kInt32:
      return write(address, saturate<int32_t>(value));
    case Dtype::kF64:
      return write(address, value);
  }
}

}  // namespace ridge
