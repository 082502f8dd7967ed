#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ridge {

// What of `j` breaks `schema`, as "samples[3].median_s: …; …", the first few; "" when nothing does.
std::string schema_errors(const nlohmann::json& schema, const nlohmann::json& j);

}  // namespace ridge
