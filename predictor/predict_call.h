#pragma once
#include <string_view>

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

}  // namespace ridge
