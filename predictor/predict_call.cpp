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

Call call_in(const DelayTable& table, const CsvCall& row) {
  Call named = row.call;
  named.implementation = implementation_of(row);
  return table.model->knows(named) ? named : row.call;
}

void check_call(const DelayTable& table, const Call& call) {
  const OpSpec& spec = operator_of(call);
  validate(spec, call);
  (void)ideal(table.ceilings, spec.work(call));
}

std::vector<Prediction> predict_calls(const DelayTable& table, std::span<const Call> calls) {
  if (!table.model) throw BadInput("table of " + table.device.name + " was not made ready");
  const double launch =
      table.method == Method::kGraph ? table.launch.graph_s : table.launch.stream_s;
  std::vector<Prediction> made(calls.size());
  std::vector<DelayModel::Question> questions;
  std::vector<std::size_t> places;  // of the questions
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (const DelayModel::Measured* s = table.model->measured(calls[i])) {
      made[i] = {.seconds = s->median_s,
                 .low_s = s->p10_s,
                 .high_s = s->p90_s,
                 .bound = s->bound,
                 .basis = Basis::kMeasured};
      continue;
    }
    const OpSpec& spec = operator_of(calls[i]);
    validate(spec, calls[i]);
    const Ideal best =
        ideal_of(table.ceilings, spec, calls[i], table_working_set(spec, calls[i], table.device),
                 table.device.units);
    const double least = launch + best.seconds;
    made[i] = {.seconds = least,
               .low_s = least,
               .high_s = least * largest_delay(table),
               .bound = launch > best.seconds ? Bound::kLaunch : best.bound,
               .basis = Basis::kRoofline};
    questions.push_back({&calls[i], best.seconds});
    places.push_back(i);
  }
  const auto delays = table.model->delays(questions);
  for (std::size_t q = 0; q < questions.size(); ++q) {
    if (!delays[q]) continue;
    Prediction& p = made[places[q]];
    p.seconds = delays[q]->seconds;
    p.low_s = delays[q]->low_s;
    p.high_s = delays[q]->high_s;
    p.basis = is_transferred(table) ? Basis::kTransferred
              : delays[q]->inside   ? Basis::kInterpolated
                                    : Basis::kExtrapolated;
  }
  return made;
}

Prediction predict_call(const DelayTable& table, const Call& call) {
  return predict_calls(table, {&call, 1})[0];
}

}  // namespace ridge
