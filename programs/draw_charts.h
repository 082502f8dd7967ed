#pragma once
#include <string>
#include <vector>

namespace ridge {

// Runs scripts/<script>, which is not in every installation: charts are a convenience, the numbers
// are written. Where it is absent or fails, standard error tells so, and how to draw later. False
// then.
bool draw_charts(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace ridge
