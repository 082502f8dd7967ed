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
};

struct EndToEndValidation {
  std::vector<PredictedRow> rows;
  std::vector<RejectedLine> rejected;
};

// Predicts every row; those that cannot be are rejected with the reason. A measured context beyond
// the limit that the model's config names is predicted as if it were within.
EndToEndValidation validate_end_to_end(const EndToEndCsv& measured, const EndToEndOptions& options);

// Errors of TTFT, TPOT and total time of the same rows.
struct EndToEndErrors {
  std::string name;
  std::optional<ErrorStatistics> ttft, tpot, total;
};
struct EndToEndBreakdown {
  std::string by;  // "source", "gpu", "model", "batch", …
  std::vector<EndToEndErrors> groups;
};

struct EndToEndSummary {
  EndToEndErrors all;
  std::vector<EndToEndBreakdown> breakdowns;
};
EndToEndSummary summarize(const EndToEndValidation& v);

// The measured CSV with predicted_{ttft,tpot,total}_ms and their _low and _high behind.
std::string predictions_csv(const EndToEndCsv& measured, const EndToEndValidation& v);

}  // namespace ridge
