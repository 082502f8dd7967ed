#pragma once
// The device functions that kernels call, in plain C++; part of cuda_shim.h.

inline void __syncthreads(shim::Site s = shim::Site::current()) { shim::sync_block(s); }
inline int __syncthreads_count(int p, shim::Site s = shim::Site::current()) {
  return static_cast<int>(shim::sync_block_count(p != 0, s));
}
inline int __syncthreads_or(int p, shim::Site s = shim::Site::current()) {
  return shim::sync_block_count(p != 0, s) > 0;
}
inline int __syncthreads_and(int p, shim::Site s = shim::Site::current()) {
  return shim::sync_block_count(p == 0, s) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, shim::Site s = shim::Site::current()) {
  shim::ballot("__syncwarp", mask, false, s);
}

// Within segments of `width` lanes; a source outside the segment gives the lane's own value.
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int lanes, int width = 32,
                  shim::Site s = shim::Site::current()) {
  const unsigned self = shim::lane(), from = self ^ static_cast<unsigned>(lanes);
  const unsigned end = (self / static_cast<unsigned>(width) + 1) * static_cast<unsigned>(width);
  return shim::shuffle("__shfl_xor_sync", mask, v, from < end ? from : self, s);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32,
                   shim::Site s = shim::Site::current()) {
  const unsigned self = shim::lane(), w = static_cast<unsigned>(width);
  const unsigned from = self % w + delta < w ? self + delta : self;
  return shim::shuffle("__shfl_down_sync", mask, v, from, s);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32,
                 shim::Site s = shim::Site::current()) {
  const unsigned self = shim::lane(), w = static_cast<unsigned>(width);
  return shim::shuffle("__shfl_up_sync", mask, v, self % w >= delta ? self - delta : self, s);
}
template <class T>
T __shfl_sync(unsigned mask, T v, int source, int width = 32,
              shim::Site s = shim::Site::current()) {
  const unsigned self = shim::lane(), w = static_cast<unsigned>(width);
  const unsigned from = self / w * w + static_cast<unsigned>(source) % w;
  return shim::shuffle("__shfl_sync", mask, v, from, s);
}
inline unsigned __ballot_sync(unsigned mask, int p, shim::Site s = shim::Site::current()) {
  return shim::ballot("__ballot_sync", mask, p != 0, s);
}
inline int __any_sync(unsigned mask, int p, shim::Site s = shim::Site::current()) {
  return shim::ballot("__any_sync", mask, p != 0, s) != 0;
}
inline int __all_sync(unsigned mask, int p, shim::Site s = shim::Site::current()) {
  return shim::ballot("__all_sync", mask, p == 0, s) == 0;
}
template <class T>
T __reduce_add_sync(unsigned mask, T v, shim::Site s = shim::Site::current()) {
  return shim::reduce(
      "__reduce_add_sync", mask, v, [](T a, T b) { return a + b; }, s);
}
template <class T>
T __reduce_max_sync(unsigned mask, T v, shim::Site s = shim::Site::current()) {
  return shim::reduce(
      "__reduce_max_sync", mask, v, [](T a, T b) { return a < b ? b : a; }, s);
}
template <class T>
T __reduce_min_sync(unsigned mask, T v, shim::Site s = shim::Site::current()) {
  return shim::reduce(
      "__reduce_min_sync", mask, v, [](T a, T b) { return b < a ? b : a; }, s);
}

// Fibers switch only at barriers, so plain reads and writes are atomic.
template <class T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return shim::exchange(p, [v](T old) { return static_cast<T>(old + v); });
}
template <class T>
T atomicSub(T* p, std::type_identity_t<T> v) {
  return shim::exchange(p, [v](T old) { return static_cast<T>(old - v); });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return shim::exchange(p, [v](T old) { return old < v ? v : old; });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return shim::exchange(p, [v](T old) { return v < old ? v : old; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return shim::exchange(p, [v](T) { return v; });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  return shim::exchange(p, [=](T old) { return old == expected ? v : old; });
}
inline unsigned atomicInc(unsigned* p, unsigned limit) {
  return shim::exchange(p, [limit](unsigned old) { return old >= limit ? 0u : old + 1; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

#define SHIM_LOAD(name)       \
  template <class T>          \
  inline T name(const T* p) { \
    return *p;                \
  }
#define SHIM_STORE(name)                              \
  template <class T>                                  \
  inline void name(T* p, std::type_identity_t<T> v) { \
    *p = v;                                           \
  }
SHIM_LOAD(__ldg)
SHIM_LOAD(__ldca)
SHIM_LOAD(__ldcg)
SHIM_LOAD(__ldcs)
SHIM_LOAD(__ldlu)
SHIM_LOAD(__ldcv)
SHIM_STORE(__stwb)
SHIM_STORE(__stcg)
SHIM_STORE(__stcs)
SHIM_STORE(__stwt)
#undef SHIM_LOAD
#undef SHIM_STORE

inline float __expf(float x) { return std::exp(x); }
inline float __exp10f(float x) { return std::pow(10.0f, x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __sinf(float x) { return std::sin(x); }
inline float __cosf(float x) { return std::cos(x); }
inline void __sincosf(float x, float* sine, float* cosine) {
  *sine = std::sin(x);
  *cosine = std::cos(x);
}
inline float __tanhf(float x) { return std::tanh(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frsqrt_rn(float x) { return 1.0f / std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __saturatef(float x) { return std::fmin(std::fmax(x, 0.0f), 1.0f); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return x ? std::countr_zero(static_cast<unsigned>(x)) + 1 : 0; }

template <class A, class B>
std::common_type_t<A, B> max(A a, B b) {
  using C = std::common_type_t<A, B>;
  return std::max<C>(static_cast<C>(a), static_cast<C>(b));
}
template <class A, class B>
std::common_type_t<A, B> min(A a, B b) {
  using C = std::common_type_t<A, B>;
  return std::min<C>(static_cast<C>(a), static_cast<C>(b));
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float fdividef(float a, float b) { return a / b; }

// Rounded once, as the hardware does.
inline __half __hfma(__half a, __half b, __half c) {
  return __double2half(static_cast<double>(__half2float(a)) * __half2float(b) + __half2float(c));
}
inline __nv_bfloat16 __hfma(__nv_bfloat16 a, __nv_bfloat16 b, __nv_bfloat16 c) {
  return __double2bfloat16(static_cast<double>(__bfloat162float(a)) * __bfloat162float(b) +
                           __bfloat162float(c));
}
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
inline __nv_bfloat162 __hfma2(__nv_bfloat162 a, __nv_bfloat162 b, __nv_bfloat162 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
