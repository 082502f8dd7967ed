#include "kernels/core/op_spec.h"
#include "kernels/memory_pattern/memory_pattern.h"

namespace ridge::memory_pattern {
namespace {

using Inputs = std::span<const HostTensor>;

TensorSpec tensor(const char* name, int64_t elements) {
  return {.name = name, .dtype = Dtype::kF32, .shape = {elements}};
}

OpSpec base(const char* name, const char* doc) {
  OpSpec s;
  s.name = name;
  s.table_name = name;
  s.doc = doc;
  s.probe = true;
  s.dtypes = {Dtype::kF32};
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  return s;
}

OpSpec stride_read() {
  OpSpec s = base("stride_read", "y[c] = sum of a chunk of x[i · stride]");
  s.axes = {{.name = "count",
             .doc = "elements that are read",
             .max = int64_t{1} << 34,
             .sweep_low = 1 << 12,
             .sweep_high = 1 << 26,
             .usual = {1 << 12, 1 << 16, 1 << 20},
             .draw = Draw::kUsual},
            {.name = "stride",
             .doc = "elements from one to the next",
             .max = 1 << 24,
             .usual = {1, 2, 8, 16, 32},
             .draw = Draw::kUsual}};
  s.work = [](const Call& c) -> Work {
    const auto n = static_cast<double>(stride_dims(c).count);
    return {.flops = n,
            .bytes_read = 4 * n,
            .bytes_written = 4 * static_cast<double>(stride_dims(c).chunks())};
  };
  s.inputs = [](const Call& c) {
    const auto [count, stride] = stride_dims(c);
    return std::vector<TensorSpec>{tensor("x", (count - 1) * stride + 1)};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("y", stride_dims(c).chunks())};
  };
  s.reference = [](const Call& c, Inputs in, std::span<const Element> elements,
                   std::span<double> values) {
    const auto [count, stride] = stride_dims(c);
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t first = elements[e].index * kStrideChunk;
      values[e] = 0;
      for (int64_t i = first; i < std::min(first + kStrideChunk, count); ++i)
        values[e] += in[0].at(i * stride);
    }
  };
  s.test_dims = {{1, 1}, {1, 100}, {63, 3}, {4096, 1}, {4097, 16}, {50021, 7}, {20000, 64}};
  return s;
}

// What gather and scatter share.
OpSpec rows(const char* name, const char* doc) {
  OpSpec s = base(name, doc);
  const auto count = [](const char* axis, const char* what) -> Axis {
    return {.name = axis,
            .doc = what,
            .max = (int64_t{1} << 31) - 1,
            .sweep_low = 1 << 10,
            .sweep_high = 1 << 24,
            .usual = {1 << 10, 1 << 14, 1 << 18, 1 << 20},
            .draw = Draw::kUsual};
  };
  s.axes = {count("rows", "rows that are moved"),
            {.name = "row_bytes",
             .doc = "bytes of a row: 32, 64 or 128",
             .min = 32,
             .max = 128,
             .sweep_low = 32,
             .sweep_high = 128,
             .usual = {32, 64, 128},
             .draw = Draw::kUsual},
            count("table_rows", "rows of the table")};
  s.constraint = [](const Call& c) -> std::string {
    const int64_t bytes = row_dims(c).row_bytes;
    if (bytes == 32 || bytes == 64 || bytes == 128) return "";
    return "row_bytes=" + std::to_string(bytes) + " must be 32, 64 or 128";
  };
  return s;
}

// Rows once, and their indices.
double moved_bytes(const Call& c) {
  const RowDims d = row_dims(c);
  return static_cast<double>(d.rows) * static_cast<double>(d.row_bytes);
}
double index_bytes(const Call& c) { return 4.0 * static_cast<double>(row_dims(c).rows); }

OpSpec gather() {
  OpSpec s = rows("gather", "y[c] = sum of the rows table[index[r]] of a chunk");
  s.work = [](const Call& c) -> Work {
    return {.flops = moved_bytes(c) / 4,
            .bytes_read = moved_bytes(c) + index_bytes(c),
            .bytes_written = 4 * static_cast<double>(row_dims(c).chunks())};
  };
  s.inputs = [](const Call& c) {
    const RowDims d = row_dims(c);
    return std::vector<TensorSpec>{tensor("table", d.table_rows * d.row()),
                                   {.name = "index",
                                    .dtype = Dtype::kInt32,
                                    .shape = {d.rows},
                                    .fill = Fill::kIndex,
                                    .index_limit = d.table_rows}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("y", row_dims(c).chunks())};
  };
  s.reference = [](const Call& c, Inputs in, std::span<const Element> elements,
                   std::span<double> values) {
    const RowDims d = row_dims(c);
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t first = elements[e].index * kRowChunk;
      values[e] = 0;
      for (int64_t r = first; r < std::min(first + kRowChunk, d.rows); ++r) {
        const int64_t row = static_cast<int64_t>(in[1].at(r)) * d.row();
        for (int64_t j = 0; j < d.row(); ++j) values[e] += in[0].at(row + j);
      }
    }
  };
  s.test_dims = {{1, 32, 1},     {7, 64, 3},      {1000, 128, 50},   {1024, 32, 4096},
                 {1025, 64, 99}, {5003, 128, 17}, {3001, 32, 100003}};
  return s;
}

OpSpec scatter() {
  OpSpec s = rows("scatter", "table[index[r]] = a row of the pattern, index a random order");
  s.constraint = [of_rows = s.constraint](const Call& c) -> std::string {
    const RowDims d = row_dims(c);
    if (const std::string why = of_rows(c); !why.empty()) return why;
    if (d.table_rows == d.rows) return "";
    return "table_rows=" + std::to_string(d.table_rows) +
           " must be rows=" + std::to_string(d.rows) + ": each row of the table is written once";
  };
  s.adjust = [](Call& c) { c.dims[2] = c.dims[0]; };
  s.work = [](const Call& c) -> Work {
    return {.bytes_read = index_bytes(c) + 4.0 * kPattern, .bytes_written = moved_bytes(c)};
  };
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("pattern", kPattern),
                                   {.name = "index",
                                    .dtype = Dtype::kInt32,
                                    .shape = {row_dims(c).rows},
                                    .fill = Fill::kPermutation}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("table", row_dims(c).table_rows * row_dims(c).row())};
  };
  s.reference = [](const Call& c, Inputs in, std::span<const Element> elements,
                   std::span<double> values) {
    const RowDims d = row_dims(c);
    std::vector<int64_t> from(static_cast<std::size_t>(d.table_rows));  // the r that writes a row
    for (int64_t r = 0; r < d.rows; ++r) from[static_cast<std::size_t>(in[1].at(r))] = r;
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t row = elements[e].index / d.row(), j = elements[e].index % d.row();
      values[e] = in[0].at((kPhase * from[static_cast<std::size_t>(row)] + j) % kPattern);
    }
  };
  s.test_dims = {{1, 32, 1}, {7, 64, 7}, {1000, 128, 1000}, {5003, 32, 5003}, {3001, 64, 3001}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {stride_read(), gather(), scatter()}; }

}  // namespace ridge::memory_pattern
