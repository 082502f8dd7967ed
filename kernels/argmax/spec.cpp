#include "kernels/argmax/argmax.h"
#include "kernels/core/op_spec.h"

namespace ridge::argmax {
namespace {

Work work(const Call& call) {
  // One comparison an element.
  const auto [rows, cols] = dims(call);
  const double elements = static_cast<double>(rows) * static_cast<double>(cols);
  return {.flops = elements,
          .bytes_read = static_cast<double>(bytes_per_element(call.dtype)) * elements,
          .bytes_written = 4.0 * static_cast<double>(rows)};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const int64_t cols = dims(call).cols;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t first = elements[e].index * cols;
    int64_t best = 0;
    double largest = in[0].at(first);
    for (int64_t c = 1; c < cols; ++c) {
      const double value = in[0].at(first + c);
      if (value > largest) {
        largest = value;
        best = c;
      }
    }
    values[e] = static_cast<double>(best);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "argmax";
  s.table_name = "Argmax";
  s.doc = "index[rows] = argmax over x[rows,cols], the lowest column of equals";
  s.axes = {
      {.name = "rows",
       .doc = "sequences that sample a token",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 512,
       .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}},
      {.name = "cols",
       .doc = "vocabulary",
       .sweep_low = 1024,
       .sweep_high = 160000,
       .usual = {32000, 32768, 50257, 65536, 128256, 151936, 152064}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{
        {.name = "index", .dtype = Dtype::kInt32, .shape = {dims(c).rows}}};
  };
  s.reference = reference;
  // An index is right or wrong; in f16 and bf16 random data has many equal maxima.
  s.tolerance = [](const Call&) { return 0.0; };
  s.test_dims = {{1, 1}, {1, 8}, {3, 7}, {5, 1000}, {1, 50257}, {64, 4096}, {2, 128256}};
  return {s};
}

}  // namespace ridge::argmax
