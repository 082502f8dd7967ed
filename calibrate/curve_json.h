#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calibrate/table.h"

namespace ridge {

// All that is known of how a Curve is written; table_json.cpp only passes it on.
nlohmann::json curve_to_json(const Curve& c);
Curve curve_from_json(const nlohmann::json& j);  // of what the schema has passed

// Why a curve cannot be asked as it is (its samples or features are others now); "" when it can.
std::string why_stale(const Curve& c, const DelayTable& t);

// Sample i of the table is now its sample place[i]. Places that are not there stay as they are.
void renumber_samples(std::vector<Curve>& curves, const std::vector<std::size_t>& place);

}  // namespace ridge
