#pragma once
#include <optional>
#include <string>
#include <vector>

#include "predictor/end_to_end/rows.h"
#include "predictor/error_statistics.h"
#include "simulator/config/scenario.h"

namespace ridge::sim {

// A measured row of continuous batching at fixed concurrency (its `batch`), simulated as a closed
// loop of equal requests: vllm_v1 with steps of up to kValidationBudget tokens, ten requests a
// client.
struct ClosedLoopRow {
  EndToEndRow row;
  Summary summary;
  double tpot_error() const;  // simulated / measured - 1
  std::optional<double> ttft_error() const;
};
inline constexpr int64_t kValidationBudget = 8192, kRequestsPerClient = 10;

struct ClosedLoopOptions {
  std::string engine = "auto";  // "auto": <framework>-serving where there is one, else <framework>
  std::string dtype;            // rows of it alone; empty: all
  std::vector<std::string> frameworks;  // rows of these alone; empty: all
};

struct ClosedLoopValidation {
  std::vector<ClosedLoopRow> rows;
  std::vector<RejectedLine> rejected;  // with the reason
  int64_t left_out = 0;                // of another dtype or framework, or marked suspect
};

// Rows with a measured TPOT; those with a note `suspect` are left out.
ClosedLoopValidation validate_closed_loop(const EndToEndCsv& measured, const ClosedLoopOptions& o);

// Mean errors of all rows, and by framework, model and GPUs, 80 columns wide.
std::string text(const ClosedLoopValidation& v);

// Requests that were served and timed: a CSV with arrival_s, input_tokens, output_tokens,
// first_token_s and last_token_s. Their means beside those of the same requests simulated.
struct ServedComparison {
  struct Line {
    std::string what;
    double measured = 0, simulated = 0;
    double error() const { return measured > 0 ? simulated / measured - 1 : 0; }
  };
  std::vector<Line> lines;  // output tokens/s, then mean TTFT, TPOT, latency
  Summary summary;
};

// `s` tells all but the workload, which is the trace's. Throws BadInput with file and line.
ServedComparison compare_served(Scenario s, const std::string& file);
std::string text(const ServedComparison& c);

}  // namespace ridge::sim
