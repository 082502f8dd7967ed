#pragma once
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "simulator/workload/arrival.h"
#include "simulator/workload/lengths.h"

namespace ridge::sim {

enum class ArrivalKind { kPoisson, kDeterministic, kGamma, kOnOff, kClosedLoop, kTrace };

// When requests come.
struct Arrivals {
  ArrivalKind kind = ArrivalKind::kPoisson;
  double rate_per_s = 1;  // mean; of on-off while it is on
  double variation = 1;   // gamma: deviation / mean of the times between arrivals; 1 is Poisson
  double on_s = 1, off_s = 1;  // on-off: Poisson for on_s, then nothing for off_s
  int64_t concurrency = 1;     // closed loop: as soon as one ends the next comes
};

// Conversations: each arrival begins one; a turn's prompt is all of the conversation before it and
// a new input; it comes `think_s` after the answer before.
struct Sessions {
  int64_t turns = 1;
  double think_s = 0;
};

struct WorkloadConfig {
  Arrivals arrivals;
  Lengths input, output{.mean = 128};
  Sessions sessions;
  // A text that prompts begin with: of `shared_count` different ones each takes one at random.
  int64_t shared_prefix = 0, shared_count = 1;
  std::vector<Arrival> trace;  // where arrivals.kind is kTrace; the rest is not looked at
  int64_t requests = 0;        // at most; 0: until the end of time
  double duration_s = 0;       // nothing comes later; 0: no limit
  uint64_t seed = 1;
};

// Throws BadInput that names the key for rates that are not above 0, and a workload that neither
// `requests`, `duration_s` nor a trace ends. A trace must be sorted by time.
void check(const WorkloadConfig& w);

// Requests in order of their time.
class Workload {
 public:
  explicit Workload(const WorkloadConfig& w);  // as check()

  // When the next one comes; nothing where none is known to come (finished() may add some).
  std::optional<double> next_time() const;
  Arrival pop();

  // A request is done at `time_s`: in a closed loop, and in a conversation, another follows.
  void finished(const Arrival& a, double time_s);

  // Whether finished() may add any: then nothing may be run ahead of the next end.
  bool answers_ends() const;

 private:
  struct Later {
    bool operator()(const Arrival& a, const Arrival& b) const { return a.time_s > b.time_s; }
  };
  std::optional<Arrival> drawn();  // the next of the open process
  double gap();
  Arrival fresh(double time_s);
  void refill();
  bool may_add(double time_s) const;

  WorkloadConfig config_;
  Random random_;
  LengthSampler input_, output_;
  double clock_ = 0;
  int64_t made_ = 0;
  int64_t streams_ = 0;
  std::size_t traced_ = 0;
  std::priority_queue<Arrival, std::vector<Arrival>, Later> pending_;
  bool open_ended_ = false;  // the open process has no more
};

}  // namespace ridge::sim
