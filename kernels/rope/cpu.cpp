#include "kernels/cpu/context.h"
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

void rope(const float* x, const int32_t* positions, const float* cos_sin, float* y, Dims d) {
  const int64_t half = d.head_dim / 2, all = d.rows * d.heads * d.head_dim;
  const auto head_bytes = d.head_dim * static_cast<int64_t>(sizeof(float));
  const Store store = store_for(d.rows * d.heads * head_bytes);
#pragma omp parallel if (all > kParallel)
  {
    alignas(64) float head[kMaxHeadDim];  // stays in L1; goes past the caches in whole lines
#pragma omp for collapse(2) schedule(static)
    for (int64_t r = 0; r < d.rows; ++r) {
      for (int64_t h = 0; h < d.heads; ++h) {
        const float* cosine = cos_sin + positions[r] * d.head_dim;
        const int64_t at = (r * d.heads + h) * d.head_dim;
        float* to = store == Store::kStreaming ? head : y + at;
        rotate_head(x + at, cosine, cosine + half, to, half);
        if (store == Store::kStreaming)
          copy_row(reinterpret_cast<std::byte*>(y + at), reinterpret_cast<const std::byte*>(head),
                   head_bytes, store);
      }
    }
    fence(store);
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
