#pragma once
#include <memory>

#include "simulator/schedulers/scheduler.h"

namespace ridge::sim {

// One for each file of this folder; make_scheduler() chooses.
std::unique_ptr<Scheduler> make_whole_batch(const SchedulerConfig& config);
std::unique_ptr<Scheduler> make_orca(const SchedulerConfig& config);
std::unique_ptr<Scheduler> make_vllm_v0(const SchedulerConfig& config);
std::unique_ptr<Scheduler> make_chunked(const SchedulerConfig& config);

}  // namespace ridge::sim
