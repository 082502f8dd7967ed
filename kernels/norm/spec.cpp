#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/norm/norm.h"

namespace ridge::norm {
namespace {

Work rmsnorm_work(const Call& call) {
  // Per element: square and add (2), scale by the row's factor and by w (2).
  const auto [rows, cols] = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double elements = static_cast<double>(rows) * static_cast<double>(cols);
  return {.flops = 4 * elements,
          .bytes_read = size * (elements + static_cast<double>(cols)),
          .bytes_written = size * elements};
}

void rmsnorm_reference(const Call& call, std::span<const HostTensor> in,
                       std::span<const Element> elements, std::span<double> values) {
  const int64_t cols = dims(call).cols;
  int64_t row = -1;
  double factor = 0;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    if (i / cols != row) {
      row = i / cols;
      double squares = 0;
      for (int64_t c = 0; c < cols; ++c) squares += std::pow(in[0].at(row * cols + c), 2);
      factor = 1 / std::sqrt(squares / static_cast<double>(cols) + kEpsilon);
    }
    values[e] = in[0].at(i) * factor * in[1].at(i % cols);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "rmsnorm";
  s.table_name = "RMS_Norm";
  s.doc = "y[rows,cols] = x / sqrt(mean(x²) + ε) · w[cols]";
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .sweep_low = 1,
       .sweep_high = 32768,
       .usual = {1, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 16384}},
      {.name = "cols",
       .doc = "hidden size",
       .sweep_low = 64,
       .sweep_high = 16384,
       .usual = {128, 1024, 2048, 3072, 4096, 5120, 8192, 16384}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = rmsnorm_work;
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "w", .dtype = c.dtype, .shape = {cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.reference = rmsnorm_reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1}, {1, 8}, {3, 7}, {5, 1000}, {64, 4096}, {2, 8193}};
  return {s};
}

}  // namespace ridge::norm
