#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "calibrate/csv_calls.h"
#include "calibrate/table.h"

namespace ridge {

// What a predicted time stands on.
enum class Basis {
  kMeasured,      // this very call is in the table
  kInterpolated,  // every dim lies within what was measured of this operator and dtype
  kExtrapolated,  // some dim does not, or the table does not tell its domain
  kTransferred,   // nothing was measured on this device: the delay is that of other GPUs
  kRoofline,      // never measured: launch + ideal, a lower bound
};
std::string_view name(Basis b);

struct Prediction {
  double seconds = 0;
  double low_s = 0, high_s = 0;  // hold about 80 % of measurements
  Bound bound = Bound::kDram;
  Basis basis = Basis::kRoofline;
};

// launch + ideal(call) · delay(call), DESIGN §5. Thread-safe on one table. Throws BadInput for a
// call that its operator does not take, and for one whose ceilings the table has not.
Prediction predict_call(const DelayTable& table, const Call& call);

// The call of a row, by the row's framework where the table has a curve of that name.
Call call_in(const DelayTable& table, const CsvCall& row);

// Throws as predict_call does for a call that cannot be predicted.
void check_call(const DelayTable& table, const Call& call);

// The same of many calls at once: several times faster than one by one.
std::vector<Prediction> predict_calls(const DelayTable& table, std::span<const Call> calls);

}  // namespace ridge
