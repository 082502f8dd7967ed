#include <algorithm>
#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/softmax/softmax.h"

namespace ridge::softmax {
namespace {

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const int64_t cols = dims(call).cols;
  int64_t row = -1;
  double largest = 0, sum = 0;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    if (i / cols != row) {
      row = i / cols;
      largest = -INFINITY;
      sum = 0;
      for (int64_t c = 0; c < cols; ++c) largest = std::max(largest, in[0].at(row * cols + c));
      for (int64_t c = 0; c < cols; ++c) sum += std::exp(in[0].at(row * cols + c) - largest);
    }
    values[e] = std::exp(in[0].at(i) - largest) / sum;
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "softmax";
  s.table_name = "Softmax";
  s.doc = "y[rows,cols] = e^(x - max(x)) / sum(e^(x - max(x)))";
  s.axes = {
      {.name = "rows",
       .doc = "queries times heads, or tokens",
       .sweep_low = 1,
       .sweep_high = 65536,
       .usual = {1, 8, 32, 128, 512, 1024, 4096, 8192, 16384, 65536}},
      {.name = "cols",
       .doc = "keys, or vocabulary",
       .sweep_low = 32,
       .sweep_high = 32768,
       .usual = {128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32000, 32768}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = [](const Call& c) -> Work {
    // Compare, subtract, exp, add, divide.
    const auto [rows, cols] = dims(c);
    const auto size = static_cast<double>(bytes_per_element(c.dtype));
    const double elements = static_cast<double>(rows) * static_cast<double>(cols);
    return {.flops = 5 * elements, .bytes_read = size * elements, .bytes_written = size * elements};
  };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1},     {1, 8},    {3, 7},      {5, 1000},
                 {64, 4096}, {2, 8193}, {1, 100003}, {1025, 9001}};
  return {s};
}

}  // namespace ridge::softmax
