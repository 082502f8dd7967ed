#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/error.h"
#include "predictor/request/memory.h"
#include "simulator/cluster/cluster.h"
#include "simulator/metrics/summary.h"
#include "simulator/time/predicted_time.h"

namespace ridge::sim {

// A serving simulation as a config file tells it: schema/serving.schema.json. What a key means and
// what it is where it is absent stands there.
struct Scenario {
  WorkloadConfig workload;
  ClusterConfig cluster;
  ServiceLimits limits;
  Deployment deployment;  // of one replica
  std::shared_ptr<const TableSet> tables;
  std::string gpu;
  Memory memory;                   // of one GPU, for a step of the scheduler's budget
  std::vector<std::string> notes;  // what stands on less than a measurement

  int64_t gpus() const;  // of all replicas
  SummaryOptions summary_options() const;
};

// What BadInput says of a model whose weights leave no room for a cache.
struct DoesNotFit : BadInput {
  using BadInput::BadInput;
};

// Tables that ship, each read once however many scenarios take them. Thread-safe.
class TableCache {
 public:
  std::shared_ptr<const TableSet> shipped(const std::string& gpu, const std::string& framework);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const TableSet>> sets_;
};

// `where` names the source in errors, and paths in it are relative to `folder`. Throws BadInput
// that names the key: unknown ones with the nearest, wrong types and values, a model that does not
// fit with what would, and all that check() of its parts does.
Scenario scenario_from_json(const nlohmann::json& j, const std::string& where,
                            const std::string& folder = ".", TableCache* cache = nullptr);

// What of `j` breaks the schema, unknown keys first; "" when nothing does.
std::string scenario_errors(const nlohmann::json& j);

// Requests of a CSV (columns arrival_s, input_tokens, output_tokens and, where there are any,
// stream, shared_tokens, priority) or of JSON lines with these keys. Throws BadInput with file and
// line.
std::vector<Arrival> read_trace(const std::string& file);

Outcome simulate(const Scenario& s, const Watch& watch = {});

}  // namespace ridge::sim
