#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/csv.h"
#include "predictor/request/request.h"

namespace ridge {

// One measured configuration of a whole model: a line of a CSV with the columns
//   gpu, model, input_tokens, output_tokens, batch
// and where there are any
//   source, gpus (all of one replica; tensor parallel = gpus / pp), pp, framework, dtype, notes
//   (key=value or plain words between ';'; workload=NAME names a file of prompt lengths),
//   measured_ttft_ms, measured_tpot_ms, measured_total_ms (at least one of them filled in a row).
struct EndToEndRow {
  std::size_t line = 0;
  std::string source, gpu, framework, model, dtype;
  Parallel parallel;
  Request request;
  std::map<std::string, std::string> notes;
  std::optional<double> ttft_s, tpot_s, total_s;  // measured
};

// A line that is not predicted: what is wrong with it in a word or two ("bad row", "unknown
// model"), and in full.
struct RejectedLine {
  std::size_t line = 0;
  std::string kind, reason;
};

struct EndToEndCsv {
  Csv csv;
  std::vector<EndToEndRow> rows;
  std::vector<RejectedLine> rejected;  // rows with bad numbers, or whose workload is not there
};

// `workloads`: the folder of NAME.csv with a column input_tokens, a line a request. Throws BadInput
// for a file that has not the columns.
EndToEndCsv read_end_to_end(Csv csv, const std::string& where,
                            const std::filesystem::path& workloads);

}  // namespace ridge
