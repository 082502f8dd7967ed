#include "calibrate/table_schema.h"

#include <nlohmann/json.hpp>

#include "delay_factors_schema.inc"  // made by CMake: kTableSchemaText

namespace ridge {

const nlohmann::json& table_schema() {
  static const nlohmann::json schema = nlohmann::json::parse(kTableSchemaText);
  return schema;
}

}  // namespace ridge
