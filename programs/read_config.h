#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ridge {

// A JSON or YAML file (.yaml, .yml) as JSON. Plain YAML scalars are true, false, null and numbers
// where they read so; quoted ones are texts. Throws BadInput with file and line.
nlohmann::json read_config(const std::string& file);

// Puts each "workload.arrivals.rate_per_s=4" into `j`; a value that is no JSON is a text. Throws
// BadInput for one without '=' and for a path through what is no object.
void set_values(nlohmann::json& j, const std::vector<std::string>& assignments);

}  // namespace ridge
