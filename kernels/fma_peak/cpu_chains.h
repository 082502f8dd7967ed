#pragma once
// The loop itself, for files that define RIDGE_VECTOR_BYTES, as wide as their instruction set, and
// RIDGE_VECTORS, the registers that are left beside three constants.
#include "kernels/fma_peak/cpu_loops.h"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {
namespace {

typedef float Singles __attribute__((vector_size(RIDGE_VECTOR_BYTES)));
typedef double Doubles __attribute__((vector_size(RIDGE_VECTOR_BYTES)));

// A value that the compiler does not know, or it would turn x · -1 + d into a subtraction.
template <class V>
V opaque(V v) {
#if defined(__x86_64__)
  asm volatile("" : "+x"(v));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(v));
#endif
  return v;
}

template <class V, class T, int kIlp>
void chain_loop(const void* c, void* y, int64_t chains, int64_t rounds) {
  constexpr auto kCount = static_cast<unsigned long>(kIlp);
  const auto size = static_cast<unsigned long>(chains) * sizeof(T);
  V x[kCount] = {};
  __builtin_memcpy(x, c, size);
  const V m = opaque(V{} + static_cast<T>(kMultiplier));
  V d1 = opaque(V{} + static_cast<T>(kFirst)), d2 = opaque(V{} + static_cast<T>(kSecond));
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < kFmasPerRound / 2; ++i) {
#pragma GCC unroll 16
      for (int v = 0; v < kIlp; ++v) x[v] = x[v] * m + d1;
#pragma GCC unroll 16
      for (int v = 0; v < kIlp; ++v) x[v] = x[v] * m + d2;
    }
    const V first = d1;
    d1 = d2;
    d2 = first;
  }
  __builtin_memcpy(y, x, size);
}

template <int kIlp>
ChainLoop choose(bool f64) {
  if constexpr (kIlp > RIDGE_VECTORS)
    return nullptr;
  else
    return f64 ? chain_loop<Doubles, double, kIlp> : chain_loop<Singles, float, kIlp>;
}

ChainLoop choose(bool f64, int64_t ilp) {
  switch (ilp) {
    case 1:
      return choose<1>(f64);
    case 2:
      return choose<2>(f64);
    case 4:
      return choose<4>(f64);
    case 8:
      return choose<8>(f64);
    case 12:
      return choose<12>(f64);
    default:
      return choose<16>(f64);
  }
}

}  // namespace
}  // namespace ridge::fma_peak
