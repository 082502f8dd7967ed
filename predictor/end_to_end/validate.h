#pragma once
#include <functional>
#include <string>
#include <vector>

#include "predictor/end_to_end/rows.h"
#include "predictor/error_statistics.h"

namespace ridge {

// Which engine profile a row is predicted with: one by name or path; "auto": that of the row's
// framework where there is one, else `kernels`; a folder: <engine's name>.json in it likewise.
struct EndToEndOptions {
  std::string engine = "kernels";
  std::optional<EngineProfile> profile;  // instead
  std::vector<NamedTable> tables;        // instead of those that ship, of the GPUs that they are of
};

struct PredictedRow {
  EndToEndRow row;
  RequestPrediction prediction;
  std::optional<bool> fits = {};  // in memory, by memory_of(); nothing where that is unknown
};

struct EndToEndValidation {
  std::vector<PredictedRow> rows;
  std::vector<RejectedLine> rejected;
};

// Predicts every row; those that cannot be are rejected with the reason. A measured context beyond
// the limit that the model's config names is predicted as if it were within, and a row that does
// not fit in memory as if it did: its engine may have queued or preempted.
EndToEndValidation validate_end_to_end(const EndToEndCsv& measured, const EndToEndOptions& options);

// Errors of TTFT, TPOT and total time of the same rows.
struct EndToEndErrors {
  std::string name;
  std::optional<ErrorStatistics> ttft, tpot, total;
};
struct EndToEndBreakdown {
  std::string by;  // "source", "gpu", "model", "batch", "memory", …
  std::vector<EndToEndErrors> groups;
};

// The time of a row that is furthest off.
struct WorstTime {
  EndToEndRow row;
  std::string time;  // "TTFT", "TPOT", "total"
  double measured_s = 0;
  Estimate predicted;
  std::optional<bool> fits;

  double error() const { return predicted.value / measured_s - 1; }
};

struct EndToEndSummary {
  EndToEndErrors all;
  std::vector<EndToEndBreakdown> breakdowns;
  std::vector<WorstTime> worst;  // one a row, by |error|, the worst first: at most kWorstTimes
};
inline constexpr std::size_t kWorstTimes = 10;
EndToEndSummary summarize(const EndToEndValidation& v);

// The measured CSV with predicted_{ttft,tpot,total}_ms and their _low and _high behind.
std::string predictions_csv(const EndToEndCsv& measured, const EndToEndValidation& v);

}  // namespace ridge
