#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "simulator/config/scenario.h"

namespace ridge::sim {

// What people read, at most 80 columns wide.
std::string summary_text(const Scenario& s, const Summary& r);

// All of it, times in seconds; null where nothing was asked for or nothing finished.
nlohmann::json summary_json(const Scenario& s, const Summary& r);

// A line a request: arrival, schedule, first and last token (empty where it has not come to that),
// tokens, preemptions.
std::string requests_csv(const Outcome& run);

// A line a sample of each replica: running, waiting, share of the cache, tokens so far.
std::string series_csv(const Outcome& run);

// Chrome's trace events (chrome://tracing, Perfetto): a process a replica, a slice a step or a run
// of like decode steps. Needs ReplicaConfig::record_spans.
nlohmann::json chrome_trace(const Outcome& run);

}  // namespace ridge::sim
