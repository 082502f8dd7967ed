#include "kernels/core/op_spec.h"
#include "kernels/embedding/embedding.h"

namespace ridge::embedding {
namespace {

Work work(const Call& call) {
  // Only the rows that ids hit are read, each once, and the int32 ids.
  const auto [rows, cols, vocab] = dims(call);
  const double row_bytes =
      static_cast<double>(bytes_per_element(call.dtype)) * static_cast<double>(cols);
  return {
      .flops = 0,
      .bytes_read = row_bytes * expected_distinct(rows, vocab) + 4.0 * static_cast<double>(rows),
      .bytes_written = row_bytes * static_cast<double>(rows)};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const int64_t cols = dims(call).cols;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t row = elements[e].index / cols, column = elements[e].index % cols;
    const auto id = static_cast<int64_t>(in[0].at(row));
    values[e] = in[1].at(id * cols + column);
  }
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "embedding";
  s.table_name = "Embedding";
  s.doc = "out[rows,cols] = table[ids[rows]], table[vocab,cols]";
  s.axes = {
      {.name = "rows",
       .doc = "tokens",
       .max = 1 << 24,
       .sweep_low = 1,
       .sweep_high = 16384,
       .usual = {1, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 16384}},
      {.name = "cols",
       .doc = "hidden size",
       .max = 1 << 20,
       .sweep_low = 256,
       .sweep_high = 8192,
       .usual = {1024, 2048, 3072, 4096, 5120, 8192}},
      {.name = "vocab",
       .doc = "rows of the table",
       .max = 1 << 24,
       .sweep_low = 32000,
       .sweep_high = 152064,
       .usual = {32000, 32768, 50257, 65536, 128256, 152064}},
  };
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const auto [rows, cols, vocab] = dims(c);
    return std::vector<TensorSpec>{{.name = "ids",
                                    .dtype = Dtype::kInt32,
                                    .shape = {rows},
                                    .fill = Fill::kIndex,
                                    .index_limit = vocab},
                                   {.name = "table", .dtype = c.dtype, .shape = {vocab, cols}}};
  };
  s.outputs = [](const Call& c) {
    const auto [rows, cols, vocab] = dims(c);
    return std::vector<TensorSpec>{{.name = "out", .dtype = c.dtype, .shape = {rows, cols}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call&) { return 0.0; };  // a copy: exact
  s.test_dims = {{1, 1, 1},    {1, 64, 100},    {3, 7, 5},        {33, 1000, 257},
                 {129, 96, 3}, {16, 4096, 500}, {1100, 4099, 300}};
  return {s};
}

}  // namespace ridge::embedding
