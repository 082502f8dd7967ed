#include "kernels/core/op_spec.h"
#include "kernels/embedding/embedding.h"
#include "kernels/rope/rope.h"

namespace ridge::rope {
namespace {

Work work(const Call& call) {
  // Per pair 4 multiplications and 2 additions, so 3 an element. Of the cache, the rows that the
  // random positions hit are read.
  const auto [rows, heads, head_dim] = dims(call);
  const double dh = static_cast<double>(head_dim);
  const double elements = static_cast<double>(rows) * static_cast<double>(heads) * dh;
  const double x_bytes = static_cast<double>(bytes_per_element(call.dtype)) * elements;
  const double cache_rows = embedding::expected_distinct(rows, kMaxPositions);
  return {.flops = 3 * elements,
          .bytes_read = x_bytes + 4.0 * (cache_rows * dh + static_cast<double>(rows)),
          .bytes_written = x_bytes};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const auto [rows, heads, head_dim] = dims(call);
  const int64_t half = head_dim / 2;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index, j = i % head_dim;
    const auto position = static_cast<int64_t>(in[1].at(i / (heads * head_dim)));
    const int64_t frequency = position * head_dim + j % half;
    const double cosine = in[2].at(frequency), sine = in[2].at(frequency + half);
    values[e] = j < half ? in[0].at(i) * cosine - in[0].at(i + half) * sine
                         : in[0].at(i) * cosine + in[0].at(i - half) * sine;
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "rope";
  s.table_name = "RoPE";
  s.doc = "y[rows,heads,head_dim] = x turned by the angles of positions[rows], half-split pairs";
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 16384,
       .usual = {1, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 16384}},
      {.name = "heads",
       .doc = "query and key heads together",
       .max = 1024,
       .sweep_low = 2,
       .sweep_high = 128,
       .usual = {16, 24, 32, 36, 40, 48, 64, 72, 80}},
      {.name = "head_dim",
       .doc = "elements of a head, even",
       .min = 2,
       .max = 1024,
       .sweep_low = 64,
       .sweep_high = 256,
       .usual = {64, 80, 96, 128, 256},
       .draw = Draw::kUsual},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.constraint = [](const Call& c) -> std::string {
    const int64_t head_dim = dims(c).head_dim;
    return head_dim % 2 == 0 ? "" : "head_dim=" + std::to_string(head_dim) + " must be even";
  };
  s.adjust = [](Call& c) { c.dims[2] += c.dims[2] % 2; };
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [rows, heads, head_dim] = dims(c);
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = c.dtype, .shape = {rows, heads, head_dim}},
        {.name = "positions",
         .dtype = Dtype::kInt32,
         .shape = {rows},
         .fill = Fill::kIndex,
         .index_limit = kMaxPositions},
        {.name = "cos_sin", .dtype = Dtype::kF32, .shape = {kMaxPositions, head_dim}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, heads, head_dim] = dims(c);
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = c.dtype, .shape = {rows, heads, head_dim}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 2},   {1, 40, 128},  {3, 5, 6},      {7, 2, 80},
                 {33, 3, 64}, {130, 8, 128}, {1030, 32, 128}};
  return {s};
}

}  // namespace ridge::rope
