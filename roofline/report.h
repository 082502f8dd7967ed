#pragma once
#include <string>

#include "kernels/core/backend.h"
#include "roofline/ceilings.h"

namespace ridge {

// The ceilings as tables of at most 80 columns. Short: what ideal times are taken from. Long: each
// way of reaching a peak, ridge points, staircases and notes too.
enum class Length { kShort, kLong };
std::string ceilings_text(const Ceilings& ceilings, Length length);

}  // namespace ridge
