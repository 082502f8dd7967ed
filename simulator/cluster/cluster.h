#pragma once
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "simulator/cluster/replica.h"
#include "simulator/cluster/routing.h"
#include "simulator/workload/workload.h"

namespace ridge::sim {

// Prompts on replicas of their own; the cache then goes to one of those that decode. For schedulers
// that compute parts of prompts: vllm_v1 and sarathi.
struct Disaggregation {
  int64_t prefill_replicas = 1;
  double kv_bytes_per_token = 0;     // of all GPUs of a replica
  double bandwidth_bytes_per_s = 0;  // of a transfer; they do not slow one another
  double latency_s = 0;
  ReplicaConfig prefill;

  double transfer_s(int64_t tokens) const {
    return latency_s + static_cast<double>(tokens) * kv_bytes_per_token / bandwidth_bytes_per_s;
  }
};

struct ClusterConfig {
  ReplicaConfig replica;
  int64_t replicas = 1;  // that decode, with disaggregation
  Routing routing = Routing::kRoundRobin;
  std::optional<Disaggregation> disaggregation;
  // Nothing begins at or after it, arrivals included; what is on its way then stays unfinished.
  double stop_s = std::numeric_limits<double>::infinity();
};

struct Outcome {
  std::vector<Record> records;  // in order of arrival
  std::vector<Totals> totals;   // of each replica, prefill ones first
  double end_s = 0;             // of the last step; stop_s where it ran until then
  int64_t blocks_taken = 0, blocks_returned = 0;
};

// Done so far, for a progress bar; false ends the run here.
using Watch = std::function<bool(int64_t finished, double time_s)>;

// All requests of a workload through a cluster. The same run from the same arguments on any
// machine. Throws BadInput as check(WorkloadConfig) and check(SchedulerConfig) do, and for no
// replicas.
Outcome simulate(const WorkloadConfig& workload, const ClusterConfig& config, StepTime& time,
                 const Watch& watch = {});

}  // namespace ridge::sim
