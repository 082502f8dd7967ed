#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE__)
#include <immintrin.h>
#endif

// Vectors of floats as wide as the instruction set that the including file is compiled for, with
// the operators that GCC and Clang give to vector types. Only for cpu.cpp files of operators: other
// files are compiled for another instruction set.
namespace ridge::simd {

#if defined(__AVX512F__)
#define RIDGE_SIMD_BYTES 64
#elif defined(__AVX__)
#define RIDGE_SIMD_BYTES 32
#else
#define RIDGE_SIMD_BYTES 16
#endif

constexpr int kLanes = RIDGE_SIMD_BYTES / 4;
typedef float Floats __attribute__((vector_size(RIDGE_SIMD_BYTES)));
typedef int32_t Ints __attribute__((vector_size(RIDGE_SIMD_BYTES)));
#undef RIDGE_SIMD_BYTES

inline Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Floats v) { std::memcpy(p, &v, sizeof v); }

// Writes past the caches: no line is read to be overwritten. `p` must be aligned to the vector;
// store_fence() must follow the last one before another thread reads.
inline void store_streaming(float* p, Floats v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, std::bit_cast<__m512>(v));
#elif defined(__AVX__)
  _mm256_stream_ps(p, std::bit_cast<__m256>(v));
#elif defined(__SSE__)
  _mm_stream_ps(p, std::bit_cast<__m128>(v));
#else
  store(p, v);
#endif
}
inline void store_fence() {
#if defined(__SSE__)
  _mm_sfence();
#endif
}

// How much of a vector an access covers: loops over a range give All to whole vectors and Some to
// what is left at its ends, whose missing lanes read as `missing`.
struct All {};
struct Some {
  int64_t lanes;
};
inline Floats load(const float* p, All, float = 0) { return load(p); }
inline Floats load(const float* p, Some some, float missing = 0) {
  Floats v = Floats{} + missing;
  std::memcpy(&v, p, static_cast<std::size_t>(some.lanes) * sizeof(float));
  return v;
}
// Zero in the lanes that Some leaves out.
inline Floats keep(Floats v, All) { return v; }
inline Floats keep(Floats v, Some some) {
  for (int i = 0; i < kLanes; ++i)
    if (i >= some.lanes) v[i] = 0;
  return v;
}
enum class Store { kCached, kStreaming };
template <Store how>
void store(float* p, Floats v, All) {
  if constexpr (how == Store::kStreaming)
    store_streaming(p, v);
  else
    store(p, v);
}
template <Store how>
void store(float* p, Floats v, Some some) {
  std::memcpy(p, &v, static_cast<std::size_t>(some.lanes) * sizeof(float));
}

// Where in [first, last] the vectors begin that are aligned in base.
inline int64_t first_aligned(const float* base, int64_t first, int64_t last) {
  const auto misaligned =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(base + first) / 4 % kLanes);
  const int64_t aligned = misaligned == 0 ? first : first + kLanes - misaligned;
  return aligned < last ? aligned : last;
}

// Calls f(i, All or Some) over [first, last), so that base + i is aligned to a vector for every
// All.
template <class F>
void for_vectors(const float* base, int64_t first, int64_t last, const F& f) {
  int64_t i = first_aligned(base, first, last);
  if (i > first) f(first, Some{i - first});
  for (; i + kLanes <= last; i += kLanes) f(i, All{});
  if (i < last) f(i, Some{last - i});
}

// merge() over f(i, All or Some) of [first, last), cut as for_vectors cuts it. Four partial
// results, because one alone would wait for its own last merge at every vector.
template <class F, class Merge>
Floats reduce_vectors(const float* base, int64_t first, int64_t last, Floats neutral, const F& f,
                      const Merge& merge) {
  Floats a = neutral, b = neutral, c = neutral, d = neutral;
  int64_t i = first_aligned(base, first, last);
  if (i > first) a = merge(a, f(first, Some{i - first}));
  for (; i + 4 * kLanes <= last; i += 4 * kLanes) {
    a = merge(a, f(i, All{}));
    b = merge(b, f(i + kLanes, All{}));
    c = merge(c, f(i + 2 * kLanes, All{}));
    d = merge(d, f(i + 3 * kLanes, All{}));
  }
  for (; i + kLanes <= last; i += kLanes) a = merge(a, f(i, All{}));
  if (i < last) a = merge(a, f(i, Some{last - i}));
  return merge(merge(a, b), merge(c, d));
}

inline void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }

inline Floats broadcast(float x) { return Floats{} + x; }
#if defined(__AVX512F__)
// The masked forms, because the others trip -Wuninitialized in GCC 12 (bug 105593).
constexpr __mmask16 kAllLanes = 0xffff;
inline Floats maximum(Floats a, Floats b) {
  return std::bit_cast<Floats>(
      _mm512_maskz_max_ps(kAllLanes, std::bit_cast<__m512>(a), std::bit_cast<__m512>(b)));
}
// 1 / x to 2 units in the last place: an estimate of 14 bits and one Newton step.
inline Floats reciprocal(Floats x) {
  const auto r = std::bit_cast<Floats>(_mm512_maskz_rcp14_ps(kAllLanes, std::bit_cast<__m512>(x)));
  return r * (2.0f - x * r);
}
#else
inline Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
inline Floats reciprocal(Floats x) { return 1.0f / x; }
#endif
inline Floats absolute(Floats x) { return x < 0 ? -x : x; }

// merge() over the lanes, halves first: a chain through all of them takes as long as dozens of
// vectors.
template <class Merge>
float reduce_lanes(Floats v, const Merge& merge) {
  for (int step = kLanes / 2; step > 0; step /= 2) {
    Ints from{};
    for (int i = 0; i < kLanes; ++i) from[i] = (i + step) % kLanes;
    v = merge(v, __builtin_shuffle(v, from));
  }
  return v[0];
}
inline float sum(Floats v) {
  return reduce_lanes(v, [](Floats a, Floats b) { return a + b; });
}
inline float largest(Floats v) { return reduce_lanes(v, maximum); }

// A value that the compiler may not reassociate through.
inline Floats opaque(Floats v) {
#if defined(__SSE__)
  asm("" : "+x"(v));
#endif
  return v;
}
inline float opaque(float v) {
#if defined(__SSE__)
  asm("" : "+x"(v));
#endif
  return v;
}

// A value of which the compiler must think that it is another one each time.
inline Floats renewed(Floats v) {
#if defined(__SSE__)
  asm volatile("" : "+x"(v));
#endif
  return v;
}

// eˣ to 2 units in the last place: 2ⁿ · e^f with |f| ≤ ln2 / 2 and a Taylor polynomial of degree 7
// (its remainder f⁸/8! is below 6e-9). Saturates at e^±87.
inline Floats exp(Floats x) {
  x = -maximum(broadcast(-87.0f), -maximum(broadcast(-87.0f), x));
  const Floats scaled = x * 1.44269504f;
#if defined(__AVX512F__)
  const auto n =
      std::bit_cast<Ints>(_mm512_maskz_cvtps_epi32(kAllLanes, std::bit_cast<__m512>(scaled)));
#else
  const Ints n = __builtin_convertvector(scaled + (scaled < 0 ? -0.5f : 0.5f), Ints);
#endif
  const Floats whole = __builtin_convertvector(n, Floats);
  // ln 2 in two parts, the first of which times n is exact.
  const Floats f = opaque(x - whole * 0.693145752f) - whole * 1.42860677e-6f;
  Floats p = f * (1.0f / 5040) + 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  return p * std::bit_cast<Floats>((n + 127) << 23);
}

// 2^x for x ≤ 0 with a relative error below 2e-7, and exactly 1 for 0; 1e-38 instead of anything
// smaller. The polynomial is the minimax one of relative error on [−½, ½], 2e-9.
inline Floats exp2_nonpositive(Floats x) {
  x = maximum(x, broadcast(-126.0f));
#if defined(__AVX512F__)
  const __m512 n = _mm512_maskz_roundscale_ps(kAllLanes, std::bit_cast<__m512>(x), 0);
  const Floats f = x - std::bit_cast<Floats>(n);
#else
  // Truncation towards zero of x − ½ rounds a negative x to the nearest integer.
  const Ints n = __builtin_convertvector(x - 0.5f, Ints);
  const Floats f = x - __builtin_convertvector(n, Floats);
#endif
  Floats p = f * 1.53458086e-4f + 1.33999312e-3f;
  p = p * f + 9.61848898e-3f;
  p = p * f + 5.55032878e-2f;
  p = p * f + 2.40226469e-1f;
  p = p * f + 6.93147206e-1f;
  p = p * f + 1.0f;
#if defined(__AVX512F__)
  return std::bit_cast<Floats>(_mm512_maskz_scalef_ps(kAllLanes, std::bit_cast<__m512>(p), n));
#else
  return p * std::bit_cast<Floats>((n + 127) << 23);
#endif
}

// erf to 1.5e-7 absolute: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
inline Floats erf(Floats x) {
  const Floats a = absolute(x);
  const Floats t = reciprocal(a * 0.3275911f + 1.0f);
  Floats p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Floats y = 1.0f - p * t * exp(-a * a);
  return x < 0 ? -y : y;
}

}  // namespace ridge::simd
