#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/norm/norm.h"

namespace ridge::norm {
namespace {

double element_count(const Call& call) {
  const auto [rows, cols] = dims(call);
  return static_cast<double>(rows) * static_cast<double>(cols);
}

// `read` and `written` tensors of x's shape, `vectors` of one row, `flops` for each element.
Work work(const Call& call, int flops, int read, int vectors, int written) {
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double elements = element_count(call), cols = static_cast<double>(dims(call).cols);
  return {.flops = flops * elements,
          .bytes_read = size * (read * elements + vectors * cols),
          .bytes_written = size * written * elements};
}

// Of value(0) … value(cols - 1).
struct Statistics {
  double mean = 0, mean_square = 0, variance = 0;
};
template <class F>
Statistics statistics(int64_t cols, const F& value) {
  Statistics s;
  for (int64_t c = 0; c < cols; ++c) {
    const double v = value(c);
    s.mean += v;
    s.mean_square += v * v;
  }
  s.mean /= static_cast<double>(cols);
  s.mean_square /= static_cast<double>(cols);
  for (int64_t c = 0; c < cols; ++c) s.variance += std::pow(value(c) - s.mean, 2);
  s.variance /= static_cast<double>(cols);
  return s;
}

// Walks the elements of the first output, with the statistics of each one's row; those of the
// second output get value(index). `normalise(index, column, row's statistics)`.
template <class Value, class Normalise>
void reference(const Call& call, std::span<const Element> elements, std::span<double> values,
               const Value& value, const Normalise& normalise) {
  const int64_t cols = dims(call).cols;
  int64_t row = -1;
  Statistics s;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    if (elements[e].tensor == 1) {
      values[e] = value(i);
      continue;
    }
    if (i / cols != row) {
      row = i / cols;
      s = statistics(cols, [&](int64_t c) { return value(row * cols + c); });
    }
    values[e] = normalise(i, i % cols, s);
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
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.test_dims = {{1, 1},     {1, 8},    {3, 7},      {5, 1000},
                 {64, 4096}, {2, 8193}, {1, 100003}, {1025, 9001}};
  return s;
}

OpSpec rmsnorm() {
  OpSpec s = base("rmsnorm", "RMS_Norm", "y[rows,cols] = x / sqrt(mean(x²) + ε) · w[cols]");
  // Square and add (2), scale by the row's factor and by w (2).
  s.work = [](const Call& c) { return work(c, 4, 1, 1, 1); };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "w", .dtype = c.dtype, .shape = {cols}}};
  };
  s.reference = [](const Call& call, std::span<const HostTensor> in, std::span<const Element> e,
                   std::span<double> out) {
    auto value = [&](int64_t i) { return in[0].at(i); };
    reference(call, e, out, value, [&](int64_t i, int64_t c, const Statistics& row) {
      return value(i) / std::sqrt(row.mean_square + kEpsilon) * in[1].at(c);
    });
  };
  return s;
}

OpSpec add_rmsnorm() {
  OpSpec s = base("add_rmsnorm", "Add_RMS_Norm",
                  "sum[rows,cols] = x + residual; y = sum / sqrt(mean(sum²) + ε) · w[cols]");
  s.work = [](const Call& c) { return work(c, 5, 2, 1, 2); };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "residual", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "w", .dtype = c.dtype, .shape = {cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "sum", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.reference = [](const Call& call, std::span<const HostTensor> in, std::span<const Element> e,
                   std::span<double> out) {
    auto value = [&](int64_t i) { return in[0].at(i) + in[1].at(i); };
    reference(call, e, out, value, [&](int64_t i, int64_t c, const Statistics& row) {
      return value(i) / std::sqrt(row.mean_square + kEpsilon) * in[2].at(c);
    });
  };
  return s;
}

OpSpec layernorm() {
  OpSpec s = base("layernorm", "Layer_Norm",
                  "y[rows,cols] = (x - mean(x)) / sqrt(var(x) + ε) · w[cols] + bias[cols]");
  // Mean (1), centre, square and add (3), centre, scale by the row's factor, by w, add bias (4).
  s.work = [](const Call& c) { return work(c, 8, 1, 2, 1); };
  s.inputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "x", .dtype = c.dtype, .shape = {rows, cols}},
                                   {.name = "w", .dtype = c.dtype, .shape = {cols}},
                                   {.name = "bias", .dtype = c.dtype, .shape = {cols}}};
  };
  s.reference = [](const Call& call, std::span<const HostTensor> in, std::span<const Element> e,
                   std::span<double> out) {
    auto value = [&](int64_t i) { return in[0].at(i); };
    reference(call, e, out, value, [&](int64_t i, int64_t c, const Statistics& row) {
      const double factor = 1 / std::sqrt(row.variance + kEpsilon);
      return (value(i) - row.mean) * factor * in[1].at(c) + in[2].at(c);
    });
  };
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {rmsnorm(), add_rmsnorm(), layernorm()}; }

}  // namespace ridge::norm
