#pragma once
#include <limits>
#include <memory>
#include <vector>

#include "simulator/metrics/totals.h"
#include "simulator/schedulers/scheduler.h"
#include "simulator/time/step_time.h"

namespace ridge::sim {

struct ReplicaConfig {
  SchedulerConfig scheduler;
  BatchConfig batch;  // blocks, their size, prefix cache; the rest is the scheduler's
  bool record_spans = false;
  double stop_s = std::numeric_limits<double>::infinity();  // no step begins then or later
};

// One engine: a queue, a scheduler, a cache and a clock. A step begins where the one before ended;
// what comes meanwhile waits for the next.
class Replica {
 public:
  // `records` and `time` must outlive it.
  Replica(const ReplicaConfig& config, int32_t index, std::vector<Record>& records, StepTime& time);

  // When its next step begins; infinity while it has nothing to do.
  double next_s() const { return next_s_; }
  // A request comes at `time_s`, which no step that has begun lies behind.
  void arrive(int32_t request, double time_s);
  // The step that begins at next_s(), and while nothing changes the decode steps after it that
  // begin before `horizon_s`. Requests that end are appended to `ended`.
  void advance(double horizon_s, std::vector<int32_t>& ended);

  const Batch& batch() const { return batch_; }
  const Totals& totals() const { return totals_; }
  // Requests that it has at `time_s`, which no step that will begin lies before: those that end
  // with the step under way are among them.
  int64_t outstanding(double time_s) const {
    return batch_.running() - batch_.ended() + static_cast<int64_t>(batch_.waiting.size()) +
           (clock_ > time_s ? ended_last_ : 0);
  }

 private:
  static constexpr double kIdle = std::numeric_limits<double>::infinity();

  void mixed_step(std::vector<int32_t>& ended);
  void decode_steps(double horizon_s, std::vector<int32_t>& ended);
  void after_step(double start_s, const StepCost& cost);
  void count_gaps(double end_s);

  ReplicaConfig config_;
  int32_t index_;
  std::vector<Record>& records_;
  StepTime& time_;
  Batch batch_;
  std::unique_ptr<Scheduler> scheduler_;
  Plan plan_;
  StepLoad load_;
  double clock_ = 0, next_s_ = kIdle;
  int64_t ended_last_ = 0;  // with the last step
  Totals totals_;
};

}  // namespace ridge::sim
