#pragma once
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "calibrate/delay_model_gp.h"
#include "calibrate/table.h"
#include "kernels/core/op_spec.h"

namespace ridge {

// Fits one curve to `samples` of `table`, all of one op, dtype and implementation.
Curve fit_curve(const DelayTable& table, std::vector<std::size_t> samples);

// Curves of every op, dtype and implementation among the samples of the table's method.
std::vector<Curve> fit_curves(const DelayTable& table);

// A curve's answer.
struct Delay {
  double seconds = 0, low_s = 0, high_s = 0;
  bool inside = false;  // every dim within what was measured
};

// A table made ready for predictions. Immutable; holds copies of what it needs.
class DelayModel {
 public:
  explicit DelayModel(const DelayTable& table);

  // The sample of exactly this call; with no implementation given, of the main one.
  const Sample* measured(const Call& call) const;
  // Nothing when neither the op with this dtype nor, if given, its implementation was measured.
  std::optional<Delay> delay(const Call& call, double ideal_s) const;

 private:
  struct Fitted {
    Curve curve;
    const OpSpec* spec;
    std::optional<GaussianProcess> process;
  };
  const Fitted* find(const Call& call) const;

  Ceilings ceilings_;
  int units_;
  std::vector<Fitted> fitted_;
  std::map<std::pair<std::string, Dtype>, std::vector<std::size_t>> by_op_;  // most samples first
  std::map<Call, Sample> measured_;
};

}  // namespace ridge
