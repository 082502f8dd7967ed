#pragma once
#include <vector>

#include "calibrate/curve.h"
#include "calibrate/transfer_law.h"

namespace ridge {

// The delay curve of one operator, dtype and implementation for a GPU that none of it was measured
// on: half of it from calls that stand alike to their own GPU's ceilings, half from the same calls,
// their times carried over (TransferLaw). Those of the GPU's own generation count more. It has no
// samples; its errors and its interval come from leaving out one source GPU at a time, wider the
// less the nearest source is like the GPU. Every source has samples.
Curve transferred_curve(const TransferGpu& to, const std::vector<TransferSource>& sources);

// Of one source alone nobody can tell how far off it is: 80 % are taken to lie within this factor.
inline constexpr double kOneSourceFactor = 1.5;

}  // namespace ridge
