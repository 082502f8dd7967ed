#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calibrate/csv_calls.h"
#include "predictor/error_statistics.h"

namespace ridge {

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
nlohmann::json to_json(const KernelPredictions& k);

}  // namespace ridge
