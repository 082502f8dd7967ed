#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/probe.h"
#include "kernels/memory_mix/memory_mix.h"

namespace ridge::memory_mix {
namespace {

using simd::Floats;
using simd::kLanes;
constexpr int kVectors = kPattern / kLanes;

// What one group and the next work on.
struct Tensors {
  const float* pattern;
  const float* x;
  float *y, *z;
};

// `y` is where a pattern begins.
template <bool kStreaming>
void write_burst(const Floats (&pattern)[kVectors], float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += kPattern) {
#pragma GCC unroll 16
    for (int k = 0; k < kVectors; ++k) {
      if (kStreaming)
        simd::store_streaming(y + i + k * kLanes, pattern[k]);
      else
        simd::store(y + i + k * kLanes, pattern[k]);
    }
  }
}

template <bool kStreaming>
void move_groups(const Dims& d, const Tensors& t, int64_t first, int64_t last) {
  Floats pattern[kVectors] = {};
  for (int k = 0; d.writes > 0 && k < kVectors; ++k)
    pattern[k] = simd::load(t.pattern + k * kLanes);
  for (int64_t g = first; g < last; ++g) {
    double sum = 0;
    for (int64_t turn = 0; turn < std::max(d.reads, d.writes); ++turn) {
      if (turn < d.reads) sum += sum_once(t.x + (g * d.reads + turn) * d.burst, d.burst);
      asm volatile("" ::: "memory");  // reads and writes stay in their turns
      if (turn < d.writes)
        write_burst<kStreaming>(pattern, t.y + (g * d.writes + turn) * d.burst, d.burst);
    }
    if (d.reads > 0) t.z[g] = static_cast<float>(sum);
  }
  simd::store_fence();
}

template <bool kStreaming>
CpuImplementation implementation(const char* name) {
  CpuImplementation own;
  own.op = "stream_mix";
  own.name = name;
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    Tensors t{};
    if (d.writes > 0) {
      t.pattern = static_cast<const float*>(a.inputs.front());
      t.y = static_cast<float*>(a.outputs.front());
    }
    if (d.reads > 0) {
      t.x = static_cast<const float*>(a.inputs.back());
      t.z = static_cast<float*>(a.outputs.back());
    }
    return make_launch([d, t, threads = context.threads] {
      parallel_ranges(
          threads, 4 * d.groups() * d.group(), d.groups(), 1,
          [&](int64_t first, int64_t last) { move_groups<kStreaming>(d, t, first, last); });
    });
  };
  return own;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  return {implementation<true>("nontemporal"), implementation<false>("plain")};
}

}  // namespace ridge::memory_mix
