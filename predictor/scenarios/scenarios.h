#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/csv.h"
#include "predictor/request/memory.h"
#include "predictor/validation.h"

namespace ridge {

// What a scenario file does not say.
struct ScenarioOptions {
  EngineProfile engine;
  int64_t tensor = 1;
  // Tables of a GPU; called once for each, from several threads. Throws BadInput for one that is
  // not known.
  std::function<TableSet(const std::string& gpu)> tables;
};

struct PredictedScenario {
  std::size_t row = 0;  // of the file, from 0
  int64_t output = 1;
  Dtype dtype = Dtype::kF16;
  RequestPrediction prediction;
  std::optional<Memory> memory;  // nothing for a device of unknown memory
};

struct Scenarios {
  std::vector<PredictedScenario> predicted;  // in the file's order
  std::vector<RejectedRow> rejected;         // the other rows, likewise
};

// The rows of a first-generation scenario file: columns gpu, model, input_length, output_length
// and, where they are there, batch_size (else 1); all others are kept as they are. A model runs in
// the dtype that default_dtype() names. Rows that cannot be predicted (a GPU or a model that nobody
// knows, lengths that are no whole numbers above 0, a context beyond the model's) are rejected with
// the reason; a model that does not fit is predicted all the same. Throws BadInput where a column
// is missing.
Scenarios predict_scenarios(const Csv& csv, const std::string& where,
                            const ScenarioOptions& options);

// Every row with the columns of the first generation's predictions behind it (predicted_total_ms,
// predicted_prefill_ms, predicted_decode_per_token_ms, predicted_tokens_per_second), then this
// one's; a column that is already there is replaced. Rejected rows have a `problem` and nothing
// else.
std::string scenarios_csv(const Csv& csv, const Scenarios& s);

// "interpolated 93 %, roofline 7 %": what a request's time stands on.
std::string basis_text(const RequestPrediction& p, int64_t output);

}  // namespace ridge
