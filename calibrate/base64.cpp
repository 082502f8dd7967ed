#include "calibrate/base64.h"

#include <algorithm>
#include <array>

#include "kernels/core/error.h"

namespace ridge {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<int8_t>(i);
  return values;
}();

}  // namespace

std::string to_base64(const std::vector<int16_t>& values) {
  std::string bytes;
  for (const int16_t v : values) {
    bytes += static_cast<char>(v & 0xFF);
    bytes += static_cast<char>((v >> 8) & 0xFF);
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (std::size_t b = 0; b < 3; ++b)
      three = three << 8 | (i + b < bytes.size() ? static_cast<uint8_t>(bytes[i + b]) : 0U);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t d = 0; d < 4; ++d)
      text += d < digits ? kDigits[three >> (18 - 6 * d) & 63] : '=';
  }
  return text;
}

std::vector<int16_t> from_base64(std::string_view text) {
  const auto wrong = [] { return BadInput("is not base 64 of 16-bit numbers"); };
  if (text.size() % 4 != 0) throw wrong();
  while (text.ends_with('=')) text.remove_suffix(1);
  std::vector<uint8_t> bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int8_t value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) throw wrong();
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<uint8_t>(bits >> count & 0xFF));
  }
  if (bytes.size() % 2 != 0) throw wrong();
  std::vector<int16_t> values(bytes.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<int16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
  return values;
}

}  // namespace ridge
