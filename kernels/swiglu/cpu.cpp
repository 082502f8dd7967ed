#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>

#include "kernels/cpu/dnnl_matmul.h"
#include "kernels/swiglu/swiglu.h"

namespace ridge::swiglu {
namespace {

// e^x to a relative 1e-6, in a form that loops over it vectorise (the library's is not, without
// -ffast-math); x is clamped to ±87, where silu has long become 0 or x. Degree-6 Taylor polynomial
// on |r| ≤ ln2/2 after x = n·ln2 + r.
inline float exp_approximate(float x) {
  x = std::min(std::max(x, -87.0f), 87.0f);
  const float n = std::nearbyint(x * 1.44269504f);
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;  // ln2 in two parts
  float p = 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

struct Scales {
  float gate_up, down;
};

// h = silu(g · s) · (u · s) · down, from rows of [g u].
void silu_mul(const float* gate_up, float* h, const Dims& d, const Scales& s) {
  constexpr int64_t kBlock = 2048;  // so that one row, too, is work for all threads
  const int64_t blocks = (d.ffn + kBlock - 1) / kBlock;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t row = 0; row < d.rows; ++row) {
    for (int64_t block = 0; block < blocks; ++block) {
      const float* g = gate_up + row * 2 * d.ffn;
      const float* u = g + d.ffn;
      float* out = h + row * d.ffn;
      const int64_t end = std::min(d.ffn, (block + 1) * kBlock);
#pragma omp simd
      for (int64_t c = block * kBlock; c < end; ++c) {
        const float x = g[c] * s.gate_up;
        out[c] = x / (1.0f + exp_approximate(-x)) * (u[c] * s.gate_up * s.down);
      }
    }
  }
}

// oneDNN's packed products do not scale, so both factors go through the loop between them.
std::unique_ptr<Launch> bind(CpuContext& context, const Call& call, const Arguments& a) {
  const Dims d = dims(call);
  const std::shared_ptr<float[]> gate_up(new float[static_cast<std::size_t>(d.rows * 2 * d.ffn)]);
  const std::shared_ptr<float[]> h(new float[static_cast<std::size_t>(d.rows * d.ffn)]);
  std::string first, second;
  auto up = bind_packed_matmul(context, {.m = d.rows, .n = 2 * d.ffn, .k = d.hidden},
                               {.inputs = {a.inputs[0], a.inputs[1]}, .outputs = {gate_up.get()}},
                               &first);
  auto down =
      bind_packed_matmul(context, {.m = d.rows, .n = d.hidden, .k = d.ffn},
                         {.inputs = {h.get(), a.inputs[2]}, .outputs = {a.outputs[0]}}, &second);
  const Scales scales{.gate_up = static_cast<float>(gate_up_scale(d)),
                      .down = static_cast<float>(down_scale(d))};
  return make_launch(
      [=]() mutable {
        up();
        silu_mul(gate_up.get(), h.get(), d, scales);
        down();
      },
      first + " + " + second + ", weights packed");
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation onednn;
  onednn.op = "swiglu";
  onednn.name = "onednn";
  onednn.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  onednn.bind = bind;
  return {onednn};
}

}  // namespace ridge::swiglu
