#include "kernels/core/op_spec.h"
#include "kernels/gemm/gemm.h"

namespace ridge::gemm {
namespace {

Work work(const Call& call) {
  // One fused multiply-add is 2 flops; A and W are read once, C is written once.
  const auto [m, n, k] = dims(call);
  const auto in = static_cast<double>(bytes_per_element(call.dtype));
  const auto out = static_cast<double>(bytes_per_element(output_dtype(call.dtype)));
  const double dm = static_cast<double>(m), dn = static_cast<double>(n),
               dk = static_cast<double>(k);
  return {.flops = 2.0 * dm * dn * dk,
          .bytes_read = in * (dm * dk + dn * dk),
          .bytes_written = out * dm * dn,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const auto [m, n, k] = dims(call);
  std::vector<double> a(static_cast<std::size_t>(k));
  int64_t row = -1;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    if (elements[e].index / n != row) {
      row = elements[e].index / n;
      for (int64_t i = 0; i < k; ++i) a[static_cast<std::size_t>(i)] = in[0].at(row * k + i);
    }
    values[e] = in[1].dot(a, elements[e].index % n * k);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "gemm";
  s.table_name = "Linear_GEMM";
  s.doc = "C[m,n] = A[m,k] · W[n,k]^T";
  const std::vector<int64_t> widths{1024, 2048,  2560,  3072,  3584,  4096,  5120, 6144,
                                    8192, 11008, 14336, 16384, 18944, 28672, 32000};
  s.axes = {
      {.name = "m",
       .doc = "tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 8192,
       .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}},
      {.name = "n",
       .doc = "output features",
       .max = 1 << 24,
       .sweep_low = 64,
       .sweep_high = 32768,
       .usual = widths},
      {.name = "k",
       .doc = "input features",
       .max = 1 << 24,
       .sweep_low = 64,
       .sweep_high = 28672,
       .usual = widths},
  };
  s.dtypes = {Dtype::kF32,    Dtype::kTf32, Dtype::kF16, Dtype::kBf16,
              Dtype::kF8E4M3, Dtype::kInt8, Dtype::kF64};
  s.unswept = {Dtype::kF64};  // no LLM multiplies in it
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [m, n, k] = dims(c);
    return std::vector<TensorSpec>{{.name = "A", .dtype = c.dtype, .shape = {m, k}},
                                   {.name = "W", .dtype = c.dtype, .shape = {n, k}}};
  };
  s.outputs = [](const Call& c) {
    const auto [m, n, k] = dims(c);
    return std::vector<TensorSpec>{{.name = "C", .dtype = output_dtype(c.dtype), .shape = {m, n}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1}, {1, 64, 32}, {3, 17, 5}, {16, 64, 128}, {33, 96, 160}, {128, 256, 64}};
  return {s};
}

}  // namespace ridge::gemm
