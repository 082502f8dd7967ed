#pragma once
#include <vector>

#include "calibrate/table.h"

namespace ridge {

// Fits one curve to `samples` of `table`, all of one op, dtype and implementation.
Curve fit_curve(const DelayTable& table, const std::vector<std::size_t>& samples);

// Curves of every op, dtype and implementation among the samples of the table's method.
std::vector<Curve> fit_curves(const DelayTable& table);

}  // namespace ridge
