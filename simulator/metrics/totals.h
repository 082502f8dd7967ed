#pragma once
#include <cstdint>
#include <vector>

#include "simulator/metrics/histogram.h"

namespace ridge::sim {

// State of a replica at a moment.
struct Sample {
  double time_s = 0;
  int64_t running = 0, waiting = 0;
  double cache_used = 0;  // share of its blocks
  double tokens_out = 0;  // so far
};

// Samples at even distances; where they get many, every second one goes and the distance doubles.
class Series {
 public:
  static constexpr std::size_t kMost = 1024;
  bool due(double time_s) const { return time_s >= next_s_; }
  void add(const Sample& s);
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  std::vector<Sample> samples_;
  double step_s_ = 1e-2, next_s_ = 0;
};

// A step, or several decode steps of the same sequences, for a trace of the schedule.
struct Span {
  double start_s = 0, end_s = 0;
  int64_t steps = 1, decodes = 0, prefill_tokens = 0, prefills = 0;
};

// Sums over all steps of a replica. Integrals are over time: divided by it they are means.
struct Totals {
  int64_t steps = 0;
  double busy_s = 0;
  double flops = 0, bytes = 0;  // of one GPU
  int64_t prefill_tokens = 0;   // computed, again after a preemption, too
  int64_t decode_tokens = 0;
  int64_t preemptions = 0;
  int64_t most_running = 0, most_waiting = 0;
  double cache_peak = 0;                                      // share of the blocks
  double cache_time = 0, running_time = 0, waiting_time = 0;  // share · s, sequences · s
  double cache_full_s = 0;      // when a request that could run waited for blocks
  double sequences_full_s = 0;  // when it waited for a place among the running ones
  Histogram between_tokens;
  Series series;
  std::vector<Span> spans;  // where they are asked for
};

}  // namespace ridge::sim
