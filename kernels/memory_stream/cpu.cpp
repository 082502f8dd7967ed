#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {
namespace {

using simd::Floats;
using simd::kLanes;

// Each thread's part starts on a vector of y, which is aligned when y is.
constexpr int64_t kGrain = 1024;

template <bool kStreaming>
void put(float* p, Floats v) {
  if (kStreaming)
    simd::store_streaming(p, v);
  else
    simd::store(p, v);
}

float sum_chunk(const float* x, int64_t n) {
  constexpr int kSums = 4;  // independent, so that additions do not wait for each other
  Floats sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes)
    for (int s = 0; s < kSums; ++s) sums[s] += simd::load(x + i + s * kLanes);
  float rest = 0;
  for (; i < n; ++i) rest += x[i];
  return rest + simd::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

void read(int threads, const float* x, float* y, int64_t n) {
  parallel_ranges(threads, 4 * n, chunks(n), 1, [=](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p)
      y[p] = sum_chunk(x + p * kChunk, std::min(kChunk, n - p * kChunk));
  });
}

template <bool kStreaming>
void write(int threads, const float* pattern, float* y, int64_t n) {
  parallel_ranges(threads, 4 * n, n, kGrain, [=](int64_t first, int64_t last) {
    constexpr int kVectors = kPattern / kLanes;
    Floats v[kVectors];
    for (int k = 0; k < kVectors; ++k) v[k] = simd::load(pattern + k * kLanes);
    int64_t i = first;
    for (; i + kPattern <= last; i += kPattern)
      for (int k = 0; k < kVectors; ++k) put<kStreaming>(y + i + k * kLanes, v[k]);
    for (; i < last; ++i) y[i] = pattern[i % kPattern];
    simd::store_fence();
  });
}

template <bool kStreaming>
void copy(int threads, const float* x, float* y, int64_t n) {
  parallel_ranges(threads, 8 * n, n, kGrain, [=](int64_t first, int64_t last) {
    int64_t i = first;
    for (; i + kLanes <= last; i += kLanes) put<kStreaming>(y + i, simd::load(x + i));
    for (; i < last; ++i) y[i] = x[i];
    simd::store_fence();
  });
}

template <bool kStreaming>
void triad(int threads, const float* b, const float* c, float s, float* y, int64_t n) {
  parallel_ranges(threads, 12 * n, n, kGrain, [=](int64_t first, int64_t last) {
    int64_t i = first;
    for (; i + kLanes <= last; i += kLanes)
      put<kStreaming>(y + i, simd::load(b + i) + s * simd::load(c + i));
    for (; i < last; ++i) y[i] = b[i] + s * c[i];
    simd::store_fence();
  });
}

CpuImplementation implementation(const char* op, const char* name,
                                 decltype(CpuImplementation::bind) bind) {
  CpuImplementation own;
  own.op = op;
  own.name = name;
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = std::move(bind);
  return own;
}

const float* input(const Arguments& a, std::size_t i) {
  return static_cast<const float*>(a.inputs[i]);
}
float* output(const Arguments& a) { return static_cast<float*>(a.outputs[0]); }

// stream_write, stream_copy and stream_triad with one kind of store.
template <bool kStreaming>
void add_writers(const char* name, std::vector<CpuImplementation>& all) {
  all.push_back(implementation(
      "stream_write", name, [](CpuContext& context, const Call& c, const Arguments& a) {
        return make_launch([t = context.threads, p = input(a, 0), y = output(a), n = count(c)] {
          write<kStreaming>(t, p, y, n);
        });
      }));
  all.push_back(implementation(
      "stream_copy", name, [](CpuContext& context, const Call& c, const Arguments& a) {
        return make_launch([t = context.threads, x = input(a, 0), y = output(a), n = count(c)] {
          copy<kStreaming>(t, x, y, n);
        });
      }));
  all.push_back(implementation(
      "stream_triad", name, [](CpuContext& context, const Call& c, const Arguments& a) {
        return make_launch([t = context.threads, b = input(a, 0), v = input(a, 1), s = input(a, 2),
                            y = output(a), n = count(c)] { triad<kStreaming>(t, b, v, *s, y, n); });
      }));
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  std::vector<CpuImplementation> all{implementation(
      "stream_read", "ridge", [](CpuContext& context, const Call& c, const Arguments& a) {
        return make_launch([t = context.threads, x = input(a, 0), y = output(a), n = count(c)] {
          read(t, x, y, n);
        });
      })};
  add_writers<true>("nontemporal", all);
  add_writers<false>("plain", all);
  return all;
}

}  // namespace ridge::memory_stream
