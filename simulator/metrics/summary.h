#pragma once
#include <optional>
#include <string>
#include <vector>

#include "simulator/cluster/cluster.h"

namespace ridge::sim {

// Of requests, or of tokens. Quantiles are nearest ranks of all values; those of times between
// tokens within 0.4 % (Histogram).
struct Distribution {
  int64_t count = 0;
  double mean = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, most = 0;
};
Distribution distribution(std::vector<double> values);
Distribution distribution(const Histogram& h);

// What a user asks of latency; 0: nothing. A request keeps it when its TTFT and its mean time per
// output token are both within.
struct ServiceLimits {
  double ttft_s = 0, tpot_s = 0;
  bool any() const { return ttft_s > 0 || tpot_s > 0; }
  bool keeps(const Record& r) const {
    return r.finished() && (ttft_s <= 0 || r.ttft_s() <= ttft_s) &&
           (tpot_s <= 0 || r.tpot_s() <= tpot_s);
  }
};

// What the numbers are of.
struct SummaryOptions {
  ServiceLimits limits;
  int64_t gpus = 1;                  // of all replicas
  double peak_flops_per_s = 0;       // of one GPU, 0: unknown
  double bandwidth_bytes_per_s = 0;  // likewise
  bool open_arrivals = true;  // they do not wait for answers, so a queue may grow without end
};

enum class Load { kKeepsUp, kSaturated };

struct Summary {
  int64_t requests = 0, finished = 0, rejected = 0;
  int64_t unfinished = 0;                 // running or waiting when the run was stopped
  int64_t tokens_in = 0, tokens_out = 0;  // of finished requests; out also of others so far
  double duration_s = 0;                  // from 0 to the end of the run
  double requests_per_s = 0, output_tokens_per_s = 0, total_tokens_per_s = 0;
  Distribution ttft_s, tpot_s, between_tokens_s, latency_s, queue_s;  // of finished requests
  std::optional<double> within_limits;  // share of the requests that ended or had to
  std::optional<double> goodput_per_s;  // requests within the limits a second
  int64_t steps = 0, preemptions = 0;
  double prefix_hits = 0;             // share of prompt tokens that were found in the cache
  double busy = 0;                    // share of the time that replicas compute, host cost included
  double mfu = 0, bandwidth_use = 0;  // of the whole duration
  double cache_mean = 0, cache_peak = 0;      // shares of the blocks; the mean while it computes
  double running_mean = 0, waiting_mean = 0;  // sequences of a replica while it computes
  int64_t running_most = 0, waiting_most = 0;
  Load load = Load::kKeepsUp;
  std::string verdict;                // in words, with the reason
  std::vector<std::string> warnings;  // each with what to do
};

// Saturated: more requests wait for their first step when the last one comes than waited half-way,
// by half, and more than 8 and 5 % of all.
Summary summarize(const Outcome& run, const SummaryOptions& options);

}  // namespace ridge::sim
