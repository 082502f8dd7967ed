#pragma once
#include <functional>
#include <vector>

#include "calibrate/chooser.h"
#include "kernels/core/backend.h"
#include "kernels/core/call.h"
#include "roofline/ceilings.h"

namespace ridge {

// Which `count` calls of `pool` (all of one operator, dtype and implementation) to measure, where
// ask(index) is one measurement: its time in seconds. No other time is known to the choice. The
// indices that were asked for, in that order, none twice; all where the pool has no more.
std::vector<Chooser::Choice> choose_points(const std::vector<Call>& pool, std::size_t count,
                                           const std::function<double(std::size_t)>& ask,
                                           const DeviceInfo& device, const Ceilings& ceilings);

}  // namespace ridge
