#pragma once
#include <nlohmann/json_fwd.hpp>

namespace ridge {

// calibrate/schema/delay_factors.schema.json, as it was when this program was built.
const nlohmann::json& table_schema();

}  // namespace ridge
