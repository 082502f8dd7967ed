#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

// Vectors of floats through the compiler's own vector types, as wide as the target's registers, for
// the loops whose register blocking has to be written out.
namespace ridge::simd {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));

template <int kCount>
struct Vecs {
  Vec& operator[](int64_t i) { return values[i]; }
  const Vec& operator[](int64_t i) const { return values[i]; }
  Vec values[static_cast<std::size_t>(kCount)];
};

inline Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }
inline void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }  // into the L2 cache
inline Vec broadcast(float x) { return Vec{} + x; }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// The first 8 lanes from memory, the others 0: what is left of a row whose length is a multiple of
// 8 but not of kLanes.
inline Vec load_8(const float* p) {
  Vec v{};
  std::memcpy(&v, p, 8 * sizeof(float));
  return v;
}

inline void store_8(float* p, Vec v) { std::memcpy(p, &v, 8 * sizeof(float)); }

inline float sum(Vec v) {
  typedef float Half __attribute__((vector_size(16)));
  Half parts[kLanes / 4];
  std::memcpy(parts, &v, sizeof v);
  Half total = parts[0];
  for (int i = 1; i < kLanes / 4; ++i) total += parts[i];
  return (total[0] + total[2]) + (total[1] + total[3]);
}

namespace detail {
// Sums of neighbours: lanes of a in the lower, of b in the upper places of each step's pattern.
template <int kStep>
Vec fold(Vec a, Vec b) {
  Ints low{}, high{};
  for (int i = 0; i < kLanes; ++i) {
    const int from = i / kStep % 2 == 0 ? i : i - kStep + kLanes;
    low[i] = from;
    high[i] = from + kStep;
  }
  return __builtin_shuffle(a, b, low) + __builtin_shuffle(a, b, high);
}
}  // namespace detail

// Lane i of the result is the sum of the lanes of rows[i].
inline Vec sums_of(Vecs<kLanes> rows) {
#if defined(__AVX512F__)
  for (int i = 0; i < 8; ++i) rows[i] = detail::fold<8>(rows[i], rows[i + 8]);
#endif
  for (int i = 0; i < 4; ++i) rows[i] = detail::fold<4>(rows[i], rows[i + 4]);
  for (int i = 0; i < 2; ++i) rows[i] = detail::fold<2>(rows[i], rows[i + 2]);
  return detail::fold<1>(rows[0], rows[1]);
}

inline float largest(Vec v) {
  float m = v[0];
  for (int i = 1; i < kLanes; ++i) m = v[i] > m ? v[i] : m;
  return m;
}

// 2^x for x ≤ 0 with a relative error below 3e-7; 1e-38 instead of anything smaller.
inline Vec exp2_nonpositive(Vec x) {
  x = larger(x, broadcast(-126.0f));
  // Truncation towards zero of x − ½ rounds a negative x to the nearest integer.
  const Ints n = __builtin_convertvector(x - 0.5f, Ints);
  const Vec f = x - __builtin_convertvector(n, Vec);  // in [−½, ½]
  // Taylor's series of exp(f · ln 2): the next term is below 1.2e-7.
  Vec p = broadcast(1.5403530e-4f);
  p = p * f + 1.3333558e-3f;
  p = p * f + 9.6181291e-3f;
  p = p * f + 5.5504109e-2f;
  p = p * f + 2.4022651e-1f;
  p = p * f + 6.9314718e-1f;
  p = p * f + 1.0f;
  const Ints exponent = (n + 127) << 23;
  Vec scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  return p * scale;
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
