#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "predictor/end_to_end/validate.h"

namespace ridge {

// How many rows of `where` are predicted, with which engine's profile; at most 80 columns wide.
std::string head_text(const EndToEndValidation& v, const std::string& where,
                      const std::string& engine);

// At most 80 columns wide.
std::string end_to_end_text(const EndToEndSummary& s);

// Rows that are not predicted, counted by reason with the lines of `where` they are; most first.
// At most 80 columns wide, empty where there are none.
std::string rejected_text(const EndToEndValidation& v, const std::string& where);

nlohmann::json to_json(const EndToEndValidation& v, const EndToEndSummary& s);

}  // namespace ridge
