#include <cmath>

#include "kernels/core/op_spec.h"
#include "kernels/elementwise/elementwise.h"

namespace ridge::elementwise {
namespace {

double silu(double x) { return x / (1 + std::exp(-x)); }
double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

// One operator: how many elements it reads for each that it writes, and the arithmetic on them.
struct Kind {
  const char* name;
  const char* table_name;
  const char* doc;
  int inputs;  // tensors
  int reads;   // elements read for each written
  int flops;   // for each written; exp, erf, powers and divide count 1 each
  double (*value)(double a, double b) = nullptr;  // none: it has no launch
};

constexpr Kind kKinds[] = {
    {"add", "Elementwise_Add", "y = a + b", 2, 2, 1, [](double a, double b) { return a + b; }},
    {"mul", "Elementwise_Mul", "y = a · b", 2, 2, 1, [](double a, double b) { return a * b; }},
    {"silu", "SiLU", "y = x / (1 + e⁻ˣ)", 1, 1, 3, [](double a, double) { return silu(a); }},
    {"gelu", "GELU", "y = x/2 · (1 + erf(x/√2))", 1, 1, 5,
     [](double a, double) { return gelu(a); }},
    {"copy", "Copy", "y = x", 1, 1, 0, [](double a, double) { return a; }},
    {"silu_mul", "SiLU_Mul", "y[rows,cols] = silu(gate) · up, x[rows,2·cols] = [gate | up]", 1, 2,
     4, [](double a, double b) { return silu(a) * b; }},
    {"add3", "Elementwise_Add3", "y = a + b + c", 3, 3, 2},
    {"div", "Elementwise_Div", "y = a / b", 2, 2, 1},
    {"pow", "Elementwise_Pow", "y = a^b", 2, 2, 1},
    {"add_scalar", "Elementwise_Add_Scalar", "y = x + s, s a number", 1, 1, 1},
    {"mul_scalar", "Elementwise_Mul_Scalar", "y = x · s, s a number", 1, 1, 1},
    {"div_scalar", "Elementwise_Div_Scalar", "y = x / s, s a number", 1, 1, 1},
    {"pow_scalar", "Elementwise_Pow_Scalar", "y = x^s, s a number", 1, 1, 1},
    {"relu", "ReLU", "y = max(x, 0)", 1, 1, 1},
    {"tanh", "Tanh", "y = tanh(x)", 1, 1, 1},
};

OpSpec make(const Kind& kind) {
  const bool halves = kind.inputs == 1 && kind.reads == 2;
  OpSpec s;
  s.name = kind.name;
  s.table_name = kind.table_name;
  s.doc = kind.doc;
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .sweep_low = 1,
       .sweep_high = 32768,
       .usual = {1, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 16384}},
      {.name = "cols",
       .doc = "features",
       .sweep_low = 64,
       .sweep_high = 28672,
       .usual = {1024, 2048, 3072, 4096, 5120, 8192, 11008, 14336, 16384, 28672}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = [kind](const Call& c) -> Work {
    const auto [rows, cols] = dims(c);
    const auto size = static_cast<double>(bytes_per_element(c.dtype));
    const double written = static_cast<double>(rows) * static_cast<double>(cols);
    return {.flops = kind.flops * written,
            .bytes_read = size * kind.reads * written,
            .bytes_written = size * written};
  };
  s.inputs = [kind, halves](const Call& c) {
    const auto [rows, cols] = dims(c);
    const TensorSpec x{.name = "x", .dtype = c.dtype, .shape = {rows, halves ? 2 * cols : cols}};
    return std::vector<TensorSpec>(static_cast<std::size_t>(kind.inputs), x);
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols] = dims(c);
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.test_dims = {{1, 1}, {3, 7}, {1, 1000}, {5, 1003}, {64, 4096}, {1030, 8200}};
  if (!kind.value) {
    s.no_launch = "has no launch here yet; its times can be imported";
    return s;
  }
  s.reference = [kind, halves](const Call& c, std::span<const HostTensor> in,
                               std::span<const Element> elements, std::span<double> values) {
    const int64_t cols = dims(c).cols;
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t i = elements[e].index;
      const int64_t gate = i / cols * 2 * cols + i % cols;
      if (halves)
        values[e] = kind.value(in[0].at(gate), in[0].at(gate + cols));
      else
        values[e] = kind.value(in[0].at(i), kind.inputs == 2 ? in[1].at(i) : 0);
    }
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  return s;
}

}  // namespace

std::vector<OpSpec> specs() {
  std::vector<OpSpec> all;
  for (const Kind& kind : kKinds) all.push_back(make(kind));
  return all;
}

}  // namespace ridge::elementwise
