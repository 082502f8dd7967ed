#pragma once
#include <string>

#include "calibrate/run.h"
#include "calibrate/table.h"

namespace ridge {

// What a person wants to know after a calibration, at most 80 columns wide: ceilings with their
// share of the datasheet, per operator the delay factors and how well the curve predicts, the worst
// spread, disturbed and throttled samples, drift, what was skipped and why, and delay factors below
// 0.97 as suspected ceiling errors.
std::string summary(const CalibrationResult& result, const DelayTable& table);

// Its part about operators: how many calls, their delay factors, their curves' errors.
std::string operators_text(const DelayTable& table);

}  // namespace ridge
