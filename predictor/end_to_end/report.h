#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "predictor/end_to_end/validate.h"

namespace ridge {

// At most 80 columns wide.
std::string end_to_end_text(const EndToEndSummary& s);

nlohmann::json to_json(const EndToEndValidation& v, const EndToEndSummary& s);

}  // namespace ridge
