#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "predictor/request/answer.h"

namespace ridge {

// What people read, at most 80 columns wide.
std::string request_text(const RequestAnswer& a);

// By schema/request.schema.json. Times in seconds, memory in bytes; null where there is nothing.
nlohmann::json to_json(const RequestAnswer& a);

// What of `j` breaks that schema; "" when nothing does.
std::string request_schema_errors(const nlohmann::json& j);

}  // namespace ridge
