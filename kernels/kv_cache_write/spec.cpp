#include "kernels/core/op_spec.h"
#include "kernels/kv_cache_write/kv_cache_write.h"

namespace ridge::kv_cache_write {
namespace {

Work work(const Call& call) {
  // Two tensors are read once and written once; the slots are int32.
  const Dims d = dims(call);
  const double bytes = 2.0 * static_cast<double>(bytes_per_element(call.dtype)) *
                       static_cast<double>(d.rows) * static_cast<double>(d.width());
  return {
      .flops = 0, .bytes_read = bytes + 4.0 * static_cast<double>(d.rows), .bytes_written = bytes};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(call);
  std::vector<int64_t> row_of(static_cast<std::size_t>(d.rows));  // slot -> row
  for (int64_t r = 0; r < d.rows; ++r) row_of[static_cast<std::size_t>(in[2].at(r))] = r;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t slot = elements[e].index / d.width(), column = elements[e].index % d.width();
    const HostTensor& source = in[static_cast<std::size_t>(elements[e].tensor)];
    values[e] = source.at(row_of[static_cast<std::size_t>(slot)] * d.width() + column);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "kv_cache_write";
  s.table_name = "KV_Cache_Write";
  s.doc = "k_cache[slots[rows]] = k[rows, kv_heads·head_dim], and the same for v";
  s.axes = {
      {.name = "rows",
       .doc = "new tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 32768,
       .usual = {1, 8, 32, 64, 128, 512, 1024, 2048, 4096, 8192, 16384}},
      {.name = "kv_heads",
       .doc = "key-value heads",
       .max = 1024,
       .sweep_low = 1,
       .sweep_high = 64,
       .usual = {1, 2, 4, 8, 16, 32, 40, 64}},
      {.name = "head_dim",
       .doc = "elements of a head",
       .max = 1024,
       .sweep_low = 64,
       .sweep_high = 256,
       .usual = {64, 80, 96, 128, 256},
       .draw = Draw::kUsual},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "k", .dtype = c.dtype, .shape = {d.rows, d.width()}},
        {.name = "v", .dtype = c.dtype, .shape = {d.rows, d.width()}},
        {.name = "slots", .dtype = Dtype::kInt32, .shape = {d.rows}, .fill = Fill::kPermutation}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "k_cache", .dtype = c.dtype, .shape = {d.rows, d.width()}},
        {.name = "v_cache", .dtype = c.dtype, .shape = {d.rows, d.width()}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call&) { return 0.0; };  // a copy: exact
  s.test_dims = {{1, 1, 1},    {1, 8, 128},   {5, 3, 7},     {64, 8, 64},
                 {257, 2, 80}, {1000, 4, 33}, {2100, 9, 115}};
  return {s};
}

}  // namespace ridge::kv_cache_write
