#include <cmath>

#include "kernels/cpu/context.h"
#include "kernels/norm/norm.h"

namespace ridge::norm {
namespace {

void rmsnorm(const float* x, const float* w, float* y, int64_t rows, int64_t cols) {
#pragma omp parallel for schedule(static) if (rows > 1)
  for (int64_t r = 0; r < rows; ++r) {
    const float* in = x + r * cols;
    float* out = y + r * cols;
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t c = 0; c < cols; ++c) squares += in[c] * in[c];
    const float factor =
        1.0f / std::sqrt(squares / static_cast<float>(cols) + static_cast<float>(kEpsilon));
#pragma omp simd
    for (int64_t c = 0; c < cols; ++c) out[c] = in[c] * factor * w[c];
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "rmsnorm";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = [](CpuContext&, const Call& c, const Arguments& a) {
    const auto [rows, cols] = dims(c);
    return make_launch(
        [x = static_cast<const float*>(a.inputs[0]), w = static_cast<const float*>(a.inputs[1]),
         y = static_cast<float*>(a.outputs[0]), rows, cols] { rmsnorm(x, w, y, rows, cols); });
  };
  return {own};
}

}  // namespace ridge::norm
