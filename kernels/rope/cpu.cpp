#include "kernels/cpu/context.h"
#include "kernels/cpu/simd.h"
#include "kernels/kv_cache_write/row_copy.h"
#include "kernels/rope/rope.h"

namespace ridge::rope {
namespace {

constexpr int64_t kParallel = 16384;  // elements below which a parallel region does not pay

void rotate_head(const float* x, const float* cosine, const float* sine, float* y, int64_t half) {
#pragma omp simd
  for (int64_t j = 0; j < half; ++j) {
    const float low = x[j], high = x[j + half];
    y[j] = low * cosine[j] - high * sine[j];
    y[j + half] = high * cosine[j] + low * sine[j];
  }
}

// The same past the caches, for `half` in whole vectors. The halves are read by turns, a pattern
// that the hardware's prefetchers lose at the end of each head: x is asked for ahead.
void rotate_head_streaming(const float* x, const float* cosine, const float* sine, float* y,
                           int64_t half) {
  constexpr int64_t kAhead = 1024;  // floats; beyond the end of x it does nothing
  for (int64_t j = 0; j < 2 * half; j += 16) simd::prefetch(x + j + kAhead);
  for (int64_t j = 0; j < half; j += simd::kLanes) {
    const simd::Floats low = simd::load(x + j), high = simd::load(x + j + half);
    const simd::Floats c = simd::load(cosine + j), s = simd::load(sine + j);
    simd::store_streaming(y + j, low * c - high * s);
    simd::store_streaming(y + j + half, high * c + low * s);
  }
}

void rope(const float* x, const int32_t* positions, const float* cos_sin, float* y, Dims d) {
  const int64_t half = d.head_dim / 2, all = d.rows * d.heads * d.head_dim;
  const bool large = store_for(all * static_cast<int64_t>(sizeof(float))) == Store::kStreaming;
  const auto rotate = large && half % simd::kLanes == 0 ? rotate_head_streaming : rotate_head;
#pragma omp parallel if (all > kParallel)
  {
#pragma omp for collapse(2) schedule(static)
    for (int64_t r = 0; r < d.rows; ++r) {
      for (int64_t h = 0; h < d.heads; ++h) {
        const float* cosine = cos_sin + positions[r] * d.head_dim;
        const int64_t at = (r * d.heads + h) * d.head_dim;
        rotate(x + at, cosine, cosine + half, y + at, half);
      }
    }
    simd::store_fence();
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "rope";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = [](CpuContext&, const Call& c, const Arguments& a) {
    return make_launch([x = static_cast<const float*>(a.inputs[0]),
                        positions = static_cast<const int32_t*>(a.inputs[1]),
                        cos_sin = static_cast<const float*>(a.inputs[2]),
                        y = static_cast<float*>(a.outputs[0]),
                        d = dims(c)] { rope(x, positions, cos_sin, y, d); });
  };
  return {own};
}

}  // namespace ridge::rope
