#pragma once
#include <bit>
#include <cstdint>

namespace ridge::sim {

// Whole numbers that are dense where they are small: all below 2^(bits+1), then 2^bits of them to
// an octave, evenly.
struct Grid {
  int bits = 4;

  // Of the largest grid number <= x, for x >= 0.
  int64_t index(int64_t x) const {
    const int shift = static_cast<int>(std::bit_width(static_cast<uint64_t>(x))) - 1 - bits;
    return shift <= 0 ? x : (x >> shift) + (static_cast<int64_t>(shift) << bits);
  }
  int64_t value(int64_t index) const {
    const int64_t shift = (index >> bits) - 1;
    return shift <= 0 ? index : (index - (shift << bits)) << shift;
  }
  // The grid number at or below x, and how far x is from there to the next, in [0, 1).
  struct Place {
    int64_t index;
    double share;
  };
  Place place(double x) const {
    const int64_t at = index(static_cast<int64_t>(x)), here = value(at);
    return {at, (x - static_cast<double>(here)) / static_cast<double>(value(at + 1) - here)};
  }
};

}  // namespace ridge::sim
