#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/core/op_spec.h"

namespace ridge::conv2d {
namespace {

// How many of `size` input rows (or columns) at least one of `outputs` windows covers: fewer than
// all where the stride exceeds the kernel or the last window ends early.
int64_t touched(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t outputs) {
  int64_t count = 0, seen = 0;  // [0, seen) is dealt with
  for (int64_t o = 0; o < outputs && seen < size; ++o) {
    const int64_t first = std::max(o * stride - pad, seen);
    const int64_t last = std::min(o * stride - pad + kernel, size);
    if (last <= first) continue;
    count += last - first;
    seen = last;
  }
  return count;
}

Work work(const Call& call) {
  // One fused multiply-add is 2 flops; those with padding are counted, as everyone does. Input rows
  // and columns that no window covers are not read.
  const Dims d = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const auto kernel =
      static_cast<double>(d.r) * static_cast<double>(d.s) * static_cast<double>(d.group_c());
  const auto outputs = static_cast<double>(d.n) * static_cast<double>(d.p()) *
                       static_cast<double>(d.q()) * static_cast<double>(d.k);
  const auto inputs = static_cast<double>(d.n) * static_cast<double>(d.c) *
                      static_cast<double>(touched(d.h, d.r, d.stride, d.pad, d.p())) *
                      static_cast<double>(touched(d.w, d.s, d.stride, d.pad, d.q()));
  return {.flops = 2 * outputs * kernel,
          .bytes_read = size * (inputs + static_cast<double>(d.k) * kernel),
          .bytes_written = size * outputs,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

double output_element(const Dims& d, std::span<const HostTensor> in, int64_t index) {
  const int64_t k = index % d.k, q = index / d.k % d.q(), p = index / d.k / d.q() % d.p(),
                n = index / d.k / d.q() / d.p();
  const int64_t channel = k / d.group_k() * d.group_c();
  double sum = 0;
  for (int64_t r = 0; r < d.r; ++r) {
    const int64_t y = p * d.stride - d.pad + r;
    if (y < 0 || y >= d.h) continue;
    for (int64_t s = 0; s < d.s; ++s) {
      const int64_t x = q * d.stride - d.pad + s;
      if (x < 0 || x >= d.w) continue;
      const int64_t at = ((n * d.h + y) * d.w + x) * d.c + channel;
      const int64_t weight = ((k * d.r + r) * d.s + s) * d.group_c();
      for (int64_t c = 0; c < d.group_c(); ++c) sum += in[0].at(at + c) * in[1].at(weight + c);
    }
  }
  return sum;
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(call);
  for (std::size_t e = 0; e < elements.size(); ++e)
    values[e] = output_element(d, in, elements[e].index);
}

std::string constraint(const Call& call) {
  const Dims d = dims(call);
  if (d.h + 2 * d.pad < d.r) return "r=" + std::to_string(d.r) + " exceeds h + 2·pad";
  if (d.w + 2 * d.pad < d.s) return "s=" + std::to_string(d.s) + " exceeds w + 2·pad";
  if (d.c % d.groups || d.k % d.groups)
    return "groups=" + std::to_string(d.groups) + " must divide c and k";
  return "";
}

// Square images and kernels, "same" padding at most; many channels come with small images and
// kernels, as they do in networks.
void adjust(Call& call) {
  enum { kN, kC, kH, kW, kK, kR, kS, kStride, kPad, kGroups };
  auto& d = call.dims;
  if (d[kC] % d[kGroups] || d[kK] % d[kGroups]) d[kGroups] = 1;
  while (d[kH] > 7 && std::max(d[kC], d[kK]) * d[kH] * d[kH] > 1 << 22) d[kH] /= 2;
  if (d[kC] / d[kGroups] > 64) d[kR] = std::min<int64_t>(d[kR], 3);
  d[kR] = std::min(d[kR], d[kH]);
  d[kW] = d[kH];
  d[kS] = d[kR];
  d[kPad] = std::min(d[kPad], d[kR] / 2);
}

std::vector<Axis> axes() {
  const std::vector<int64_t> channels{16, 32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048};
  const std::vector<int64_t> sizes{7, 8, 14, 16, 28, 32, 56, 64, 112, 128, 224};
  const std::vector<int64_t> kernels{1, 1, 3, 3, 3, 5, 7};
  // Draws one of a few values only.
  const auto few = [](std::string name, std::string doc, int64_t min, int64_t max,
                      std::vector<int64_t> usual) {
    return Axis{.name = std::move(name),
                .doc = std::move(doc),
                .min = min,
                .max = max,
                .sweep_low = *std::min_element(usual.begin(), usual.end()),
                .sweep_high = *std::max_element(usual.begin(), usual.end()),
                .usual = usual,
                .draw = Draw::kUsual,
                .growth = Growth::kFree};
  };
  const auto range = [](std::string name, std::string doc, int64_t max, int64_t low, int64_t high,
                        std::vector<int64_t> usual) {
    return Axis{.name = std::move(name),
                .doc = std::move(doc),
                .max = max,
                .sweep_low = low,
                .sweep_high = high,
                .usual = std::move(usual)};
  };
  return {range("n", "images", 1 << 20, 1, 64, {1, 2, 4, 8, 16, 32, 64}),
          range("c", "input channels", 1 << 20, 3, 2048, channels),
          range("h", "input height", 1 << 16, 7, 224, sizes),
          range("w", "input width", 1 << 16, 7, 224, sizes),
          range("k", "output channels", 1 << 20, 16, 2048, channels),
          few("r", "kernel height", 1, 1024, kernels),
          few("s", "kernel width", 1, 1024, kernels),
          few("stride", "step of the window, both ways", 1, 1024, {1, 1, 2}),
          few("pad", "zeros around the image, all sides", 0, 1024, {0, 1, 1, 2, 3}),
          few("groups", "independent groups of channels", 1, 1 << 20, {1, 1, 1, 1, 2, 32})};
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "conv2d";
  s.table_name = "Conv2D";
  s.doc = "y[n,p,q,k] = x[n,h,w,c] * weights[k,r,s,c/groups], p = (h + 2·pad − r)/stride + 1";
  s.axes = axes();
  s.dtypes = {Dtype::kF32, Dtype::kTf32, Dtype::kF16};
  s.constraint = constraint;
  s.adjust = adjust;
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = c.dtype, .shape = {d.n, d.h, d.w, d.c}},
        {.name = "weights", .dtype = c.dtype, .shape = {d.k, d.r, d.s, d.group_c()}}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = c.dtype, .shape = {d.n, d.p(), d.q(), d.k}}};
  };
  s.reference = reference;
  // Winograd's transforms, which libraries may choose, cost some bits.
  s.tolerance = [](const Call& c) { return 3 * default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1, 1, 1, 1, 1, 1, 0, 1},     {1, 3, 15, 15, 16, 7, 7, 2, 3, 1},
                 {2, 64, 7, 7, 32, 1, 1, 1, 0, 1},   {3, 17, 9, 5, 13, 3, 3, 1, 1, 1},
                 {2, 32, 14, 14, 64, 3, 3, 1, 1, 2}, {2, 24, 8, 8, 24, 3, 3, 1, 1, 24},
                 {1, 64, 28, 28, 64, 3, 3, 2, 1, 1}, {2, 16, 9, 9, 8, 1, 1, 2, 0, 1},
                 {1, 4, 6, 11, 6, 2, 5, 3, 2, 2}};
  return {s};
}

}  // namespace ridge::conv2d
