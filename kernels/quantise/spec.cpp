#include <algorithm>
#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/quantise/quantise.h"

namespace ridge::quantise {
namespace {

double largest(const HostTensor& x, int64_t first, int64_t count) {
  double most = 0;
  for (int64_t i = first; i < first + count; ++i) most = std::max(most, std::fabs(x.at(i)));
  return most > kNothing ? most : 0;
}

// The second output is a scale a row.
void quantise_reference(const Call& call, std::span<const HostTensor> in,
                        std::span<const Element> elements, std::span<double> values) {
  const int64_t cols = dims(call).cols;
  int64_t row = -1;
  double scale = 0;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const auto [tensor, index] = elements[e];
    if (const int64_t its = tensor == 1 ? index : index / cols; its != row) {
      row = its;
      scale = largest(in[0], row * cols, cols) / kSteps;
    }
    if (tensor == 1)
      values[e] = scale;
    else
      values[e] = scale > 0 ? std::nearbyint(in[0].at(index) / scale) : 0;
  }
}

void dequantise_reference(const Call& call, std::span<const HostTensor> in,
                          std::span<const Element> elements, std::span<double> values) {
  const int64_t cols = dims(call).cols;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    values[e] = in[0].at(i) * in[1].at(i / cols) * in[2].at(i % cols);
  }
}

OpSpec base(const char* name, const char* table_name, const char* doc) {
  OpSpec s;
  s.name = name;
  s.table_name = table_name;
  s.doc = doc;
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 8192,
       .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}},
      {.name = "cols",
       .doc = "features",
       .max = 1 << 24,
       .sweep_low = 64,
       .sweep_high = 32768,
       .usual = {512, 1024, 2048, 2560, 3072, 4096, 5120, 8192, 11008, 14336, 16384, 28672}},
  };
  s.dtypes = {Dtype::kF32};
  s.test_dims = {{1, 1},  {1, 8},    {3, 7},    {5, 1000},   {64, 4096},
                 {2, 16}, {2, 8193}, {7, 2055}, {1, 100003}, {1025, 9001}};
  return s;
}

OpSpec quantise_rows() {
  OpSpec s = base("quantise_rows", "Quantise_Rows",
                  "scale[rows] = max|x| / 127; q[rows,cols] int8 = round(x / scale)");
  s.work = [](const Call& c) {
    // Magnitude and maximum (2), scale and round (2); a scale of 4 bytes is written for each row.
    const auto [rows, cols] = dims(c);
    const double dr = static_cast<double>(rows), elements = dr * static_cast<double>(cols);
    return Work{
        .flops = 4 * elements, .bytes_read = 4 * elements, .bytes_written = elements + 4 * dr};
  };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = Dtype::kF32, .shape = {rows, cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "q", .dtype = Dtype::kInt8, .shape = {rows, cols}},
                                   {.name = "scale", .dtype = Dtype::kF32, .shape = {rows}}};
  };
  s.reference = quantise_reference;
  // In f32 an element within 1e-5 of a tie may go to the other side, which is one step of 127: for
  // one of eight elements that is 5e-3 of the norm. To cut instead of round would be 1e-2 of it.
  s.tolerance = [](const Call&) { return 5e-3; };
  return s;
}

OpSpec dequantise() {
  OpSpec s = base("dequantise", "Dequantise",
                  "y[rows,cols] = acc int32 · row_scale[rows] · column_scale[cols]");
  s.work = [](const Call& c) {
    // Convert (1), two products (2).
    const auto [rows, cols] = dims(c);
    const double dr = static_cast<double>(rows), dc = static_cast<double>(cols);
    return Work{
        .flops = 3 * dr * dc, .bytes_read = 4 * (dr * dc + dr + dc), .bytes_written = 4 * dr * dc};
  };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "acc", .dtype = Dtype::kInt32, .shape = {rows, cols}},
                                   {.name = "row_scale", .dtype = Dtype::kF32, .shape = {rows}},
                                   {.name = "column_scale", .dtype = Dtype::kF32, .shape = {cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = Dtype::kF32, .shape = {rows, cols}}};
  };
  s.reference = dequantise_reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {quantise_rows(), dequantise()}; }

}  // namespace ridge::quantise
