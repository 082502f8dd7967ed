#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "predictor/validation.h"

namespace ridge {

// All texts for the terminal are at most 80 columns wide.

std::string validation_text(const ValidationSummary& s);
// The first ten, and how many there are; "" without any.
std::string rejected_text(const std::vector<RejectedRow>& rejected);

nlohmann::json to_json(const Validation& v, const ValidationSummary& s);

// Every row with its prediction, in the layout that `predict validate` reads: times in
// microseconds, an axis column for each axis that a row has.
std::string predictions_csv(const Validation& v);

}  // namespace ridge
