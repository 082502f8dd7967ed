#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calibrate/csv_calls.h"
#include "predictor/predict_call.h"

namespace ridge {

// |predicted / measured − 1| over one operator's rows, and how many lay inside low … high.
struct ErrorStatistics {
  std::string op;
  std::size_t count = 0;
  double mean = 0, median = 0, p90 = 0;
  double inside = 0;  // share of rows
};

struct KernelPredictions {
  Csv csv;  // the input's rows with predicted_us, low_us, high_us, basis behind
  std::vector<CsvCall> calls;
  std::vector<Prediction> predictions;
  std::vector<ErrorStatistics> errors;  // by operator, then "all"; empty without latency_us
};

// Predicts every row. Columns that the result adds are replaced where the input has them. Throws
// BadInput with file, line and row.
KernelPredictions predict_kernels(const DelayTable& table, Csv csv, const std::string& where);

std::string csv_text(const Csv& csv);
std::string error_table(const std::vector<ErrorStatistics>& errors);  // at most 80 columns
nlohmann::json to_json(const KernelPredictions& k);

}  // namespace ridge
