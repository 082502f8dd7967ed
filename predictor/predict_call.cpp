#include "predictor/predict_call.h"

#include <algorithm>
#include <cmath>

#include "calibrate/delay_model.h"
#include "calibrate/transfer.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

// find_operator() makes its error text as it searches: too slow for every call.
const OpSpec& operator_of(const Call& call) {
  for (const OpSpec& spec : operators())
    if (spec.name == call.op) return spec;
  return find_operator(call.op);
}

// How much slower than its roofline a call of an unknown operator may well be: as the slowest
// curve of the table is at its median.
double largest_delay(const DelayTable& t) {
  double largest = 2;
  for (const auto& [op, f] : t.factors) largest = std::max(largest, f.average);
  return largest;
}

}  // namespace

std::string_view name(Basis b) {
  switch (b) {
    case Basis::kMeasured:
      return "measured";
    case Basis::kInterpolated:
      return "interpolated";
    case Basis::kExtrapolated:
      return "extrapolated";
    case Basis::kTransferred:
      return "transferred";
    case Basis::kRoofline:
      break;
  }
  return "roofline";
}

Prediction predict_call(const DelayTable& table, const Call& call) {
  if (!table.model) throw BadInput("table of " + table.device.name + " was not made ready");
  if (const DelayModel::Measured* s = table.model->measured(call))
    return {.seconds = s->median_s,
            .low_s = s->p10_s,
            .high_s = s->p90_s,
            .bound = s->bound,
            .basis = Basis::kMeasured};
  const OpSpec& spec = operator_of(call);
  validate(spec, call);
  const Ideal best = ideal_of(table.ceilings, spec, call,
                              table_working_set(spec, call, table.device), table.device.units);
  const double launch =
      table.method == Method::kGraph ? table.launch.graph_s : table.launch.stream_s;
  const Bound bound = launch > best.seconds ? Bound::kLaunch : best.bound;
  if (const auto d = table.model->delay(call, best.seconds))
    return {.seconds = d->seconds,
            .low_s = d->low_s,
            .high_s = d->high_s,
            .bound = bound,
            .basis = is_transferred(table) ? Basis::kTransferred
                     : d->inside           ? Basis::kInterpolated
                                           : Basis::kExtrapolated};
  const double least = launch + best.seconds;
  return {.seconds = least,
          .low_s = least,
          .high_s = least * largest_delay(table),
          .bound = bound,
          .basis = Basis::kRoofline};
}

}  // namespace ridge
