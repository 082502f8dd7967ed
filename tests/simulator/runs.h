// Runs of the simulator with step times in closed form, so that schedules can be told by hand.
#pragma once
#include <vector>

#include "simulator/cluster/cluster.h"

namespace ridge::sim::test {

// Every step takes a second, whatever it holds.
inline FormulaTime a_second() {
  return FormulaTime([](const StepLoad&) { return 1.0; });
}

// A request of a trace.
inline Arrival at(double time_s, int64_t input, int64_t output) {
  return {.time_s = time_s, .input = input, .output = output};
}

inline WorkloadConfig trace(std::vector<Arrival> requests) {
  WorkloadConfig w;
  w.arrivals.kind = ArrivalKind::kTrace;
  w.trace = std::move(requests);
  return w;
}

// One replica whose cache has room for all but what a test limits.
inline ClusterConfig cluster(SchedulerKind kind, int64_t max_sequences = 256,
                             int64_t blocks = 1 << 20, int64_t block_tokens = 16) {
  ClusterConfig c;
  c.replica.scheduler = {.kind = kind, .max_sequences = max_sequences};
  c.replica.batch = {.blocks = blocks, .block_tokens = block_tokens};
  return c;
}

inline Outcome run(const std::vector<Arrival>& requests, const ClusterConfig& c) {
  FormulaTime time = a_second();
  return simulate(trace(requests), c, time);
}

inline std::vector<double> first_tokens(const Outcome& r) {
  std::vector<double> times;
  for (const Record& x : r.records) times.push_back(x.first_token_s);
  return times;
}
inline std::vector<double> ends(const Outcome& r) {
  std::vector<double> times;
  for (const Record& x : r.records) times.push_back(x.finish_s);
  return times;
}

}  // namespace ridge::sim::test
