#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/cpu/simd.h"

// What attention needs of vectors beyond kernels/cpu/simd.h.
namespace ridge::simd {

// kCount vectors that stay in registers where their indices are known.
template <int kCount>
struct Vecs {
  Floats& operator[](int64_t i) { return values[i]; }
  const Floats& operator[](int64_t i) const { return values[i]; }
  Floats values[static_cast<std::size_t>(kCount)];
};

// The end of a row whose length is a multiple of 8 but not of kLanes, and 0 in the other lanes.
constexpr int kTail = std::min(8, kLanes);
inline Floats load_tail(const float* p) {
  Floats v{};
  std::memcpy(&v, p, kTail * sizeof(float));
  return v;
}
inline void store_tail(float* p, Floats v) { std::memcpy(p, &v, kTail * sizeof(float)); }

// Sums of lanes kStep apart: those of a go to the places i with i / kStep even, of b to the others.
template <int kStep>
Floats fold(Floats a, Floats b) {
  Ints first{};
  for (int i = 0; i < kLanes; ++i) first[i] = i / kStep % 2 == 0 ? i : i - kStep + kLanes;
  return __builtin_shuffle(a, b, first) + __builtin_shuffle(a, b, first + kStep);
}

// Lane i of the result is the sum of the lanes of rows[i].
inline Floats sums_of(Vecs<kLanes> rows) {
  if constexpr (kLanes >= 16)
    for (int i = 0; i < 8; ++i) rows[i] = fold<8>(rows[i], rows[i + 8]);
  if constexpr (kLanes >= 8)
    for (int i = 0; i < 4; ++i) rows[i] = fold<4>(rows[i], rows[i + 4]);
  for (int i = 0; i < 2; ++i) rows[i] = fold<2>(rows[i], rows[i + 2]);
  return fold<1>(rows[0], rows[1]);
}

// Floats on cache lines of their own.
class Scratch {
 public:
  explicit Scratch(int64_t floats) : lines_(static_cast<std::size_t>((floats + 15) / 16)) {}
  float* data() { return lines_.data()->v; }

 private:
  struct alignas(64) Line {
    float v[16];
  };
  std::vector<Line> lines_;
};

}  // namespace ridge::simd
