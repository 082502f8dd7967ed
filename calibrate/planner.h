#pragma once
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "calibrate/chooser.h"
#include "kernels/core/op_spec.h"
#include "profilers/measurement.h"
#include "roofline/ceilings.h"

namespace ridge {

// What is measured as one surface: a curve of the table.
struct Group {
  std::string op;
  Dtype dtype = Dtype::kF32;
  std::string implementation;
  friend auto operator<=>(const Group&, const Group&) = default;
};

struct PlanLimits {
  double max_call_s = 0.1;  // calls whose ideal time is longer are outside the table's domain
  int64_t max_bytes = int64_t{4} << 30;
};

// A shape drawn from the operator's sweep: each axis by its Draw, mapped by `adjust`, rejected by
// its constraint. Nothing when many tries in a row were rejected.
std::optional<Call> draw_call(const OpSpec& spec, const Group& group, const Ceilings& ceilings,
                              const PlanLimits& limits, std::mt19937_64& rng);

// Decides what to measure next: first a seed of every group, in random order, then where the error
// that cross-validation expects of the group's curve falls most per second; within a group, what
// its Chooser asks for.
class Planner {
 public:
  static constexpr int kSeeds = 32;  // calls of each group before any group is preferred

  Planner(std::vector<Group> groups, const Ceilings& ceilings, PlanLimits limits, uint64_t seed,
          DeviceInfo device = {});

  struct Choice {
    Call call;
    bool control = false;  // drawn at random: its measurement is to be labelled kControl
  };
  // Never a call that was reported before; nothing when every group is exhausted.
  std::optional<Choice> next();
  void report(const Measurement& m);

  const std::vector<Group>& groups() const { return groups_; }
  // Cross-validated mean |error| of a group's curve when it was last fitted; 1 while unknown.
  double error(const Group& group) const;
  // Whether every group that can be measured is known to err by `target` at most.
  bool reached(double target) const;

 private:
  struct State {
    Chooser chooser;
    double cost_s = 0;
    int attempts = 0;
    bool exhausted = false;
  };
  State* most_promising();

  std::vector<Group> groups_;
  const Ceilings& ceilings_;
  DeviceInfo device_;
  std::map<Group, State> states_;
  std::mt19937_64 rng_;
};

}  // namespace ridge
