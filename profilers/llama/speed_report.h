#pragma once
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "profilers/llama/operator_stats.h"
#include "profilers/llama/speed_validation.h"

namespace ridge {

struct PeakMemory {
  int64_t host_bytes = 0;    // of this process, as the system counts it
  int64_t device_bytes = 0;  // taken since the start; 0 on a CPU, whose memory is the host's
};

// All that one run of speed_benchmark found.
struct SpeedReport {
  DeviceInfo device;
  Model model;
  Dtype dtype = Dtype::kF32;
  std::string weights;                                 // where they come from
  WeightFormat weight_format = WeightFormat::kNative;  // native or int8
  bool graphs = false;
  Decoder::Bytes bytes;
  PeakMemory peak;
  std::vector<SpeedResult> tests;
  std::vector<SpeedResult> sweep;            // over batch sizes
  std::vector<SpeedValidation> validations;  // of the tests, where a table was at hand
  std::vector<SpeedValidation> sweep_predicted;
  std::vector<std::string> findings;
  std::string text;  // prompt and what was generated, where text was asked for
  std::map<std::string, std::string> provenance;
};

// At most 80 columns.
std::string speed_text(const SpeedReport& r);
// benchmark_results.json, by schema/benchmark_results.schema.json.
nlohmann::json speed_json(const SpeedReport& r);
// What of a benchmark_results.json breaks the schema; "" when nothing does.
std::string speed_schema_errors(const nlohmann::json& j);

}  // namespace ridge
