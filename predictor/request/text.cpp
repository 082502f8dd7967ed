#include "predictor/request/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibrate/text_lines.h"

namespace ridge {
namespace {

struct Unit {
  double seconds;
  const char* name;
};

// A step of 999.6 ms reads 1.00 s.
Unit unit_of(double seconds) {
  if (seconds >= 0.9995) return {1, "s"};
  if (seconds >= 0.9995e-3) return {1e-3, "ms"};
  return {1e-6, "us"};
}

}  // namespace

std::string number(double value) {
  if (value >= 99999.5) return fmt::format("{:.2e}", value);
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  return fmt::format("{:#.3g}", value);
}

std::string grouped(int64_t n) {
  std::string text = std::to_string(n);
  const std::size_t digits = n < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > 3 + digits;) text.insert(at -= 3, ",");
  return text;
}

std::string time_text(double seconds) {
  const Unit unit = unit_of(seconds);
  return number(seconds / unit.seconds) + " " + unit.name;
}

std::string time_range(double value, double low, double high) {
  const Unit unit = unit_of(value);
  return fmt::format("{} to {} {}", number(low / unit.seconds), number(high / unit.seconds),
                     unit.name);
}

std::string gb(double bytes) { return fmt::format("{:.1f}", bytes / 1e9); }

std::string paragraph(const std::string& text, std::size_t indent, std::size_t first) {
  return wrapped(text, first, indent - first);
}

}  // namespace ridge
