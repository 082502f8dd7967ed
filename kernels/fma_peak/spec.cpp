#include "kernels/core/op_spec.h"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {
namespace {

int64_t inner(Dtype dtype) { return kRowBytes / static_cast<int64_t>(bytes_per_element(dtype)); }

Dtype sum_dtype(Dtype dtype) { return dtype == Dtype::kInt8 ? Dtype::kInt32 : Dtype::kF32; }

OpSpec base(const char* name, const char* doc, Axis width) {
  OpSpec s;
  s.name = name;
  s.table_name = name;
  s.doc = doc;
  s.probe = true;
  s.axes = {std::move(width),
            {.name = "rounds",
             .doc = "how long each runs",
             .max = 1 << 20,
             .sweep_low = 1,
             .sweep_high = 64,
             .usual = {1, 8, 64},
             .draw = Draw::kUsual}};
  return s;
}

OpSpec fma() {
  OpSpec s = base("fma_peak", "y[chains] = sum over rounds of 256 dependent multiply-adds",
                  {.name = "chains",
                   .doc = "independent sequences of multiply-adds",
                   .sweep_low = 1024,
                   .sweep_high = 1 << 22,
                   .usual = {1024, 16384, 1 << 17, 1 << 20, 1 << 22},
                   .draw = Draw::kUsual});
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = [](const Call& call) -> Work {
    const auto [chains, rounds] = dims(call);
    const auto n = static_cast<double>(chains);
    return {.flops = 2.0 * kFmasPerRound * n * static_cast<double>(rounds),
            .bytes_read = n * static_cast<double>(bytes_per_element(call.dtype)),
            .bytes_written = 4 * n,
            .pipe = Pipe::kVector,
            .arithmetic = call.dtype};
  };
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "c", .dtype = c.dtype, .shape = {dims(c).width}}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "y", .dtype = Dtype::kF32, .shape = {dims(c).width}}};
  };
  s.reference = [](const Call& call, std::span<const HostTensor> in,
                   std::span<const Element> elements, std::span<double> values) {
    // x = kSecond·(kFirst·x + c) + c, solved for x; the start has died away after a round, because
    // |kFirst · kSecond|^128 is below any format's smallest number.
    const double fixed = (kSecond + 1) / (1 - kFirst * kSecond);
    for (std::size_t e = 0; e < elements.size(); ++e)
      values[e] = static_cast<double>(dims(call).rounds) * fixed * in[0].at(elements[e].index);
  };
  // f32: equal terms are summed, so their rounding errors do not cancel.
  s.tolerance = [](const Call& c) {
    return c.dtype == Dtype::kF32 ? 1e-3 : default_tolerance(c.dtype);
  };
  s.test_dims = {{1, 1}, {7, 3}, {1000, 2}, {4099, 5}, {32768, 1}};
  return s;
}

OpSpec mma() {
  OpSpec s = base("mma_peak", "D[units,16,64] = rounds · 64 · A[16,K] · B[64,K]^T, K of 32 bytes",
                  {.name = "units",
                   .doc = "independent accumulators; warps on a GPU",
                   .max = 1 << 24,
                   .sweep_low = 1,
                   .sweep_high = 4096,
                   .usual = {1, 64, 640, 1280, 2112, 4096},
                   .draw = Draw::kUsual});
  s.dtypes = {Dtype::kF32, Dtype::kTf32, Dtype::kF16, Dtype::kBf16, Dtype::kF8E4M3, Dtype::kInt8};
  s.constraint = [](const Call& c) -> std::string {
    if (c.dtype != Dtype::kInt8 || dims(c).rounds <= kMaxInt8Rounds) return "";
    return "rounds=" + std::to_string(dims(c).rounds) + " must be at most " +
           std::to_string(kMaxInt8Rounds) + " for int8, whose sums are int32";
  };
  s.work = [](const Call& call) -> Work {
    const auto [units, rounds] = dims(call);
    const double n = static_cast<double>(units), k = static_cast<double>(inner(call.dtype));
    return {.flops = 2.0 * kRows * kColumns * k * kStepsPerRound * n * static_cast<double>(rounds),
            .bytes_read = (kRows + kColumns) * kRowBytes,
            .bytes_written = 4.0 * kRows * kColumns * n,
            .pipe = Pipe::kMatrix,
            .arithmetic = call.dtype};
  };
  s.inputs = [](const Call& c) {
    const int64_t k = inner(c.dtype);
    return std::vector<TensorSpec>{{.name = "A", .dtype = c.dtype, .shape = {kRows, k}},
                                   {.name = "B", .dtype = c.dtype, .shape = {kColumns, k}}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{
        {.name = "D", .dtype = sum_dtype(c.dtype), .shape = {dims(c).width, kRows, kColumns}}};
  };
  s.reference = [](const Call& call, std::span<const HostTensor> in,
                   std::span<const Element> elements, std::span<double> values) {
    const int64_t k = inner(call.dtype);
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t row = elements[e].index / kColumns % kRows;
      const int64_t column = elements[e].index % kColumns;
      double sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += in[0].at(row * k + i) * in[1].at(column * k + i);
      values[e] = static_cast<double>(dims(call).rounds) * kStepsPerRound * sum;
    }
  };
  s.tolerance = [](const Call& c) {
    return c.dtype == Dtype::kF32 ? 1e-3 : default_tolerance(c.dtype);
  };
  s.test_dims = {{1, 1}, {3, 2}, {33, 1}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {fma(), mma()}; }

}  // namespace ridge::fma_peak
