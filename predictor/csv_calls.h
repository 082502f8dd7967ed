#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/call.h"
#include "predictor/csv.h"

namespace ridge {

struct CsvCall {
  Call call;
  std::optional<double> latency_s;  // from latency_us, where there
};

// Columns: op, dtype, one per axis of the operator by its name, and optionally implementation and
// latency_us. Taken too: operators by table name, dtypes as others call them (fp16), and the
// column layouts of published measurement collections:
//   conv2d              b, in_ch, out_ch, kernel, in_size, stride, padding (square, one group)
//   rope                rows, cols = (heads + kv_heads) · head_dim
//   attention_prefill   without `causal`: causal
// Cells of columns that an operator has no use for are not looked at. Throws BadInput with file,
// line, row, column and what to do.
std::vector<CsvCall> calls_of(const Csv& csv, const std::string& where);

}  // namespace ridge
