#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "predictor/predict_call.h"

namespace ridge {

// How far predictions lie from measurements: of |predicted / measured − 1| the mean, median and
// 90th percentile.
struct ErrorStatistics {
  std::string name;  // of what they were taken over: "gemm", "all"
  std::size_t count = 0;
  double mean = 0, median = 0, p90 = 0;
  double bias = 0;    // geometric mean of predicted / measured, − 1: above 0 is too slow
  double inside = 0;  // share of measurements within low … high
};

class ErrorCollector {
 public:
  void add(const Prediction& p, double measured_s);
  std::size_t count() const { return errors_.size(); }
  ErrorStatistics summary(const std::string& name) const;  // of at least one

 private:
  std::vector<double> errors_;
  double log_ratios_ = 0;
  std::size_t inside_ = 0;
};

// One line a group, at most 80 columns wide; `what` names the first column.
std::string error_table(const std::string& what, const std::vector<ErrorStatistics>& errors);

// `key` is what the name is called.
nlohmann::json to_json(const ErrorStatistics& e, const std::string& key);

std::string percent(double share);         // "12.3%"
std::string signed_percent(double share);  // "+12.3%"
// Cut to `most` characters, the last three of them dots.
std::string shortened(const std::string& text, std::size_t most);
// The same at the beginning: the end of a path is what tells.
std::string shortened_begin(const std::string& text, std::size_t most);

}  // namespace ridge
