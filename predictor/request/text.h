#pragma once
#include <cstdint>
#include <string>

namespace ridge {

// Of what people read on a terminal.
inline constexpr std::size_t kColumns = 80;

// Three digits or more, in at most eight characters: "0.812", "23.5", "1234", "2.50e+07".
std::string number(double value);

std::string grouped(int64_t n);  // "1,234,567"

// In the unit that suits it: "1.23 s", "45.6 ms", "789 us".
std::string time_text(double seconds);
// Both in the unit of `value`: "40.1 to 52.0 ms".
std::string time_range(double value, double low, double high);

std::string gb(double bytes);  // "16.1"

// Lines of whole words, at most kColumns wide; the first is indented by `first`, the others by
// `indent`.
std::string paragraph(const std::string& text, std::size_t indent = 2, std::size_t first = 0);

}  // namespace ridge
