#include <algorithm>

#include "kernels/core/op_spec.h"
#include "kernels/swiglu/swiglu.h"

namespace ridge::swiglu {
namespace {

Work work(const Call& call) {
  // Three products (gate, up, down) of 2 flops a multiply-add, and 4 flops for each silu(g) · u
  // (exp, add, divide, multiply). Only x, the weights and y count as bytes: what lies between the
  // steps need not leave the chip.
  const auto [rows, hidden, ffn] = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double r = static_cast<double>(rows), h = static_cast<double>(hidden),
               f = static_cast<double>(ffn);
  return {.flops = 3 * 2.0 * r * h * f + 4 * r * f,
          .bytes_read = size * (r * h + 3 * h * f),
          .bytes_written = size * r * h,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(call);
  const HostTensor &gate_up = in[1], &down = in[2];
  std::vector<double> x(static_cast<std::size_t>(d.hidden)), h(static_cast<std::size_t>(d.ffn));
  int64_t row = -1;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    if (elements[e].index / d.hidden != row) {
      row = elements[e].index / d.hidden;
      for (int64_t i = 0; i < d.hidden; ++i)
        x[static_cast<std::size_t>(i)] = in[0].at(row * d.hidden + i) * gate_up_scale(d);
      for (int64_t j = 0; j < d.ffn; ++j) {
        const double g = gate_up.dot(x, j * d.hidden), u = gate_up.dot(x, (d.ffn + j) * d.hidden);
        h[static_cast<std::size_t>(j)] = g / (1 + std::exp(-g)) * u * down_scale(d);
      }
    }
    values[e] = down.dot(h, elements[e].index % d.hidden * d.ffn);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "swiglu";
  s.table_name = "SwiGLU_MLP";
  s.doc = "y = (silu(x · Wg^T) · (x · Wu^T)) · Wd^T, gate and up as one product";
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 8192,
       .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}},
      {.name = "hidden",
       .doc = "model width",
       .max = 1 << 20,
       .sweep_low = 512,
       .sweep_high = 8192,
       .usual = {1024, 2048, 3072, 3584, 4096, 5120, 8192}},
      {.name = "ffn",
       .doc = "inner width",
       .max = 1 << 20,
       .sweep_low = 1024,
       .sweep_high = 28672,
       .usual = {3072, 5632, 8192, 8960, 11008, 13824, 14336, 18944, 28672}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [rows, hidden, ffn] = dims(c);
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = c.dtype, .shape = {rows, hidden}},
        {.name = "W_gate_up", .dtype = c.dtype, .shape = {2 * ffn, hidden}},
        {.name = "W_down", .dtype = c.dtype, .shape = {hidden, ffn}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, hidden, ffn] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, hidden}}};
  };
  s.reference = reference;
  // A row of y needs 2 · ffn · hidden multiply-adds before its first element is known.
  s.checkable = [](const Call& c) { return dims(c).hidden; };
  // Four roundings to the dtype in a row (g, u, h, y), each of at most u/√3 in the mean square (u
  // is the unit roundoff), add to 1.2 u; the default is 4 u of f16 and 2.5 u of bf16: it serves
  // here.
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1}, {1, 64, 96}, {3, 17, 5}, {5, 40, 72}, {16, 128, 256}, {33, 96, 160}};
  return {s};
}

}  // namespace ridge::swiglu
