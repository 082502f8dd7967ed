#pragma once
#include <cstdint>

#include "simulator/workload/arrival.h"

namespace ridge::sim {

inline constexpr double kNever = -1;

// All that is kept of a request. Times in seconds of the simulation; kNever where it has not come
// to that.
struct Record {
  Arrival arrival;
  double scheduled_s = kNever;    // the start of the first step with some of it
  double first_token_s = kNever;  // the end of the step that its first token comes from
  double finish_s = kNever;       // likewise its last one
  double last_token_s = kNever;   // of those so far
  int64_t generated = 0;          // tokens so far
  int64_t cached = 0;             // prompt tokens found in the cache when it was first scheduled
  int64_t received = 0;           // tokens whose cache came with it from another replica
  int32_t preemptions = 0;
  int32_t replica = 0;
  bool rejected = false;  // can never run: its prompt or its cache is more than the replica has

  bool finished() const { return finish_s >= 0; }
  double ttft_s() const { return first_token_s - arrival.time_s; }
  double latency_s() const { return finish_s - arrival.time_s; }
  double queue_s() const { return scheduled_s - arrival.time_s; }
  // Mean time of a token after the first; 0 with one token.
  double tpot_s() const {
    return arrival.output > 1 ? (finish_s - first_token_s) / static_cast<double>(arrival.output - 1)
                              : 0;
  }
};

}  // namespace ridge::sim
