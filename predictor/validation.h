#pragma once
#include <string>
#include <vector>

#include "calibrate/csv_calls.h"
#include "predictor/error_statistics.h"

namespace ridge {

// One measured call beside what a table says of it.
struct ValidatedRow {
  std::string file;
  std::size_t line = 0;
  std::string gpu;  // as the row names it; else the table's device
  Call call;
  double measured_s = 0;
  Prediction prediction;

  double error() const { return prediction.seconds / measured_s - 1; }
};

struct RejectedRow {
  std::string place;  // "kernels.csv:12"
  std::string reason;
};

struct Validation {
  std::vector<ValidatedRow> rows;
  std::vector<RejectedRow> rejected;
};

// Predicts every row of one CSV of measured kernels (csv_calls.h tells its columns) and adds it to
// `v`. The column `gpu`, where it is there, chooses the row's table; of rows without it there may
// be one table only. A row's framework is its implementation where the table has one of that name.
// Rows that cannot be predicted are rejected with the reason. Throws BadInput for a file that has
// none of these columns, or no measured time at all.
void validate_kernels(const std::vector<DelayTable>& tables, const Csv& csv,
                      const std::string& where, Validation& v);

// Statistics of one way to divide the rows: by "operator", "gpu", "measured time" or "basis".
struct Breakdown {
  std::string by;
  std::vector<ErrorStatistics> groups;
};

struct ValidationSummary {
  std::vector<ErrorStatistics> all;  // of all rows, and where some are samples of their table, the
                                     // rest: "not in the table"
  std::size_t in_table = 0;          // rows of basis measured: they test nothing
  // Of the rows that test something; by basis of all rows.
  std::vector<Breakdown> breakdowns;
  std::vector<ValidatedRow> worst;  // of those, by |error|, the worst first
};
inline constexpr std::size_t kWorstRows = 10;

ValidationSummary summarize_validation(const Validation& v);

}  // namespace ridge
