#pragma once
#include <functional>
#include <vector>

#include "simulator/config/scenario.h"

namespace ridge::sim {

// What a rate must keep: limits of a quantile of all requests, and a queue that does not grow.
struct CapacityGoal {
  ServiceLimits limits;
  double quantile = 0.95;
};

struct CapacityPoint {
  double rate_per_s = 0;
  bool keeps = false;
  Summary summary;
};

struct Capacity {
  double rate_per_s = 0;              // the largest that was seen to keep the goal; 0: none does
  std::vector<CapacityPoint> points;  // all that were simulated, in that order
};

// By doubling and then bisection, until the rates that keep it and those that do not are within
// `precision` of each other. The same seed at each rate: the same lengths, arrivals closer
// together. Throws BadInput for a workload without a rate (a closed loop, a trace) and without any
// limit.
Capacity find_capacity(const Scenario& s, const CapacityGoal& goal, double precision = 0.02,
                       const std::function<void(const CapacityPoint&)>& tell = {});

// Whether the outcome of a run keeps it. Requests that never ended keep no limit.
bool keeps(const Outcome& run, const Summary& r, const CapacityGoal& goal);

// The number of sequences of most output tokens/s whose goal is kept, among the powers of two up to
// `most`, and all of them.
struct BatchChoice {
  int64_t max_sequences = 0;
  bool keeps = false;
  Summary summary;
};
struct BestBatch {
  int64_t max_sequences = 0;  // 0: none keeps it
  std::vector<BatchChoice> choices;
};
BestBatch find_batch(const Scenario& s, const CapacityGoal& goal, int64_t most = 1024);

}  // namespace ridge::sim
