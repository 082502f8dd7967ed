#include "profilers/llama/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "kernels/core/error.h"

namespace ridge {
namespace {

// One tile of floats is what lies between two narrow formats: small enough for the first cache.
constexpr std::size_t kTile = 2048;

float from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// The exponent moves from a bias of 15 to one of 127 by one exact product, subnormals with it.
float from_f16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fffu) << 13;
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  // From 2^16 on it was infinity or NaN.
  const uint32_t special = scaled >= 0x1p16f ? 0x7f800000u : 0;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | special | sign);
}

uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);  // ties to even
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return static_cast<uint16_t>((nan ? bits | 0x400000u : rounded) >> 16);
}

// All cases are computed and one is taken: without branches the loop vectorises.
uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // Below 2^-14 the steps are of 2^-24: adding 0.5, whose last place that is, rounds to them.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  const uint32_t subnormal = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f);
  uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7c00u : half;  // from 65520 on the nearest is infinity
  half = magnitude > 0x7f800000u ? 0x7e00u : half;   // NaN
  return static_cast<uint16_t>(half | sign);
}

template <class From, class To, class F>
void each(const std::byte* from, std::byte* to, std::size_t count, F f) {
  for (std::size_t i = 0; i < count; ++i) {
    From in;  // neither side need be aligned
    std::memcpy(&in, from + i * sizeof(From), sizeof in);
    const To out = f(in);
    std::memcpy(to + i * sizeof(To), &out, sizeof out);
  }
}

bool direct(Dtype t) { return t == Dtype::kF32 || t == Dtype::kF16 || t == Dtype::kBf16; }

void widen(Dtype t, const std::byte* from, std::byte* to, std::size_t count) {
  if (t == Dtype::kF32)
    std::memcpy(to, from, count * sizeof(float));
  else if (t == Dtype::kF16)
    each<uint16_t, float>(from, to, count, from_f16);
  else
    each<uint16_t, float>(from, to, count, from_bf16);
}

void narrow(Dtype t, const std::byte* from, std::byte* to, std::size_t count) {
  if (t == Dtype::kF32)
    std::memcpy(to, from, count * sizeof(float));
  else if (t == Dtype::kF16)
    each<float, uint16_t>(from, to, count, to_f16);
  else
    each<float, uint16_t>(from, to, count, to_bf16);
}

}  // namespace

void convert(const TensorView& from, Dtype to, std::span<std::byte> out) {
  if (!from.dtype)
    throw BadInput(from.where() + ": " + std::string(from.format) + " cannot be read as numbers");
  const std::size_t in_bytes = bytes_per_element(*from.dtype), out_bytes = bytes_per_element(to);
  const auto count = static_cast<std::size_t>(from.elements());
  if (out.size() != count * out_bytes)
    throw std::length_error(from.where() + ": " + std::to_string(count) + " elements into " +
                            std::to_string(out.size()) + " bytes");
  if (count == 0) return;
  if (*from.dtype == to) {
    std::memcpy(out.data(), from.bytes.data(), out.size());
    return;
  }
  if (!direct(*from.dtype) || !direct(to)) {
    for (std::size_t i = 0; i < count; ++i)
      store_element(to, &out[i * out_bytes], load_element(*from.dtype, &from.bytes[i * in_bytes]));
    return;
  }
  std::array<std::byte, kTile * sizeof(float)> tile;
  for (std::size_t i = 0; i < count; i += kTile) {
    const std::size_t n = std::min(kTile, count - i);
    widen(*from.dtype, &from.bytes[i * in_bytes], tile.data(), n);
    narrow(to, tile.data(), &out[i * out_bytes], n);
  }
}

void to_floats(const TensorView& from, std::span<float> out) {
  convert(from, Dtype::kF32, std::as_writable_bytes(out));
}

}  // namespace ridge
