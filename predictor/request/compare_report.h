#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "predictor/request/compare.h"

namespace ridge {

// A table for each model, at most 80 columns wide, and below it what the marks mean and what the
// predictions stand on.
std::string compare_text(const Comparison& c, const std::vector<ComparedRow>& rows);

// Times in seconds, memory in bytes; null where there is nothing.
nlohmann::json to_json(const Comparison& c, const std::vector<ComparedRow>& rows);

// One line a row; empty cells where there is nothing.
std::string compare_csv(const Comparison& c, const std::vector<ComparedRow>& rows);

}  // namespace ridge
