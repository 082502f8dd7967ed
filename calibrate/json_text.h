#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ridge {

// JSON for an editor: a list of numbers or texts, however long, is one line, and so is anything
// that fits into 100 columns. Of an object's members, the plain values come first.
std::string json_text(const nlohmann::json& j);

}  // namespace ridge
