#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/csv.h"
#include "kernels/core/call.h"

namespace ridge {

struct CsvCall {
  Call call;
  std::optional<double> latency_s;
  std::string framework;  // what ran it, from the column of that name
  std::string variant;    // what else tells one row from another that has the same call
};

// "vllm", "vllm/power_law_1.2", or "" where the row tells neither: what an imported row's
// implementation is called. One that the row names itself goes before both.
std::string implementation_of(const CsvCall& row);

// The rows of a CSV file as calls. Columns: op, dtype, one per axis of the operator by its name;
// optionally implementation, framework, and the measured time: latency_us, latency_ms, latency_s,
// time_us, time_ms or time_s (where a row has several, they must agree). Taken too: operators by
// table name, dtypes as others call them (fp16), and the column layouts of published measurement
// collections:
//   conv2d              b, in_ch, out_ch, kernel, in_size, stride, padding (square, one group)
//   rope                rows, cols = (heads + kv_heads) · head_dim
//   attention_prefill   without `causal`: causal
//   gqa_module          attention_block; swiglu_mlp: swiglu, of batch · seq rows
//   rmsnorm_eager       rmsnorm, of the variant "unfused"
//   moe                 of the variant that the column `distribution` names
// Cells of columns that an operator has no use for are not looked at.
class CallReader {
 public:
  // `csv` must outlive it; `where` names its source in errors. Throws BadInput without the columns
  // op and dtype.
  CallReader(const Csv& csv, std::string where);

  // Throws BadInput with file, line, row, column and what to do.
  CsvCall read(std::size_t row) const;
  // Without blanks around it; empty for a column that is not there.
  std::string cell(std::size_t row, const std::string& column) const;
  bool has(const std::string& column) const { return columns_.contains(column); }
  // Whether a row may tell a measured time.
  bool has_latency() const;

 private:
  const Csv& csv_;
  std::string where_;
  std::map<std::string, std::size_t> columns_;
};

// Every row. Throws as CallReader does.
std::vector<CsvCall> calls_of(const Csv& csv, const std::string& where);

}  // namespace ridge
