#include "kernels/bmm/bmm.h"
#include "kernels/core/op_spec.h"

namespace ridge::bmm {
namespace {

Work work(const Call& call) {
  // One fused multiply-add is 2 flops; A and B are read once, C is written once.
  const auto [b, m, n, k] = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double db = static_cast<double>(b), dm = static_cast<double>(m),
               dn = static_cast<double>(n), dk = static_cast<double>(k);
  return {.flops = 2.0 * db * dm * dn * dk,
          .bytes_read = size * db * (dm * dk + dk * dn),
          .bytes_written = size * db * dm * dn,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const auto [b, m, n, k] = dims(call);
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t row = elements[e].index / n, column = elements[e].index % n;  // row of b · m
    const int64_t right = row / m * k * n + column;
    double sum = 0;
    for (int64_t i = 0; i < k; ++i) sum += in[0].at(row * k + i) * in[1].at(right + i * n);
    values[e] = sum;
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "bmm";
  s.table_name = "BMM";
  s.doc = "C[b,m,n] = A[b,m,k] · B[b,k,n]";
  // Scores have k = head_dim and n = context, their product with V the other way round.
  const std::vector<int64_t> lengths{64, 80, 96, 128, 256, 512, 1024, 2048, 4096};
  s.axes = {
      {.name = "b",
       .doc = "products (batch × heads)",
       .max = 1 << 16,
       .sweep_low = 1,
       .sweep_high = 256,
       .usual = {1, 8, 12, 16, 32, 40, 64, 128, 256}},
      {.name = "m",
       .doc = "rows of A and C",
       .max = 1 << 20,
       .sweep_low = 1,
       .sweep_high = 2048,
       .usual = {1, 4, 8, 16, 64, 128, 256, 512, 1024, 2048}},
      {.name = "n",
       .doc = "columns of B and C",
       .max = 1 << 20,
       .sweep_low = 64,
       .sweep_high = 4096,
       .usual = lengths},
      {.name = "k",
       .doc = "columns of A, rows of B",
       .max = 1 << 20,
       .sweep_low = 64,
       .sweep_high = 4096,
       .usual = lengths},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [b, m, n, k] = dims(c);
    return std::vector<TensorSpec>{{.name = "A", .dtype = c.dtype, .shape = {b, m, k}},
                                   {.name = "B", .dtype = c.dtype, .shape = {b, k, n}}};
  };
  s.outputs = [](const Call& c) {
    const auto [b, m, n, k] = dims(c);
    return std::vector<TensorSpec>{{.name = "C", .dtype = c.dtype, .shape = {b, m, n}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1, 1},    {3, 5, 7, 11},    {2, 1, 64, 128},
                 {4, 33, 96, 80}, {1, 64, 128, 32}, {5, 16, 17, 64}};
  return {s};
}

}  // namespace ridge::bmm
