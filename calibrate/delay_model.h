#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "calibrate/columns.h"
#include "calibrate/gaussian_process.h"
#include "calibrate/physics_features.h"
#include "calibrate/table.h"
#include "kernels/core/op_spec.h"

namespace ridge {

// A curve's answer.
struct Delay {
  double seconds = 0, low_s = 0, high_s = 0;
  bool inside = false;  // every dim within what was measured
};

// A table made ready for predictions. Immutable; holds copies of what it needs.
class DelayModel {
 public:
  explicit DelayModel(const DelayTable& table);

  struct Measured {
    double median_s = 0, p10_s = 0, p90_s = 0;
    Bound bound = Bound::kDram;
  };
  // The sample of exactly this call; with no implementation given, of the main one.
  const Measured* measured(const Call& call) const;

  // Whether there is a curve of this operator and dtype and, if given, implementation.
  bool knows(const Call& call) const { return find(call) != nullptr; }

  struct Question {
    const Call* call;
    double ideal_s;
  };
  // Nothing where neither the op with this dtype nor, if given, its implementation was measured.
  // Many questions at once are answered several times faster than one by one.
  std::vector<std::optional<Delay>> delays(std::span<const Question> questions) const;
  std::optional<Delay> delay(const Call& call, double ideal_s) const;

 private:
  struct Fitted {
    Curve curve;
    PhysicsFeatures features;
    GpMean process;
    ColumnDistance columns;
    std::unordered_map<std::string, Measured> measured;  // by the bytes of the dims
  };
  const Fitted* find(const Call& call) const;
  static void answer(const Fitted& f, std::span<const Question> questions, Delay* out);

  std::vector<Fitted> fitted_;
  std::map<std::pair<std::string, Dtype>, std::vector<std::size_t>> by_op_;  // most samples first
};

}  // namespace ridge
