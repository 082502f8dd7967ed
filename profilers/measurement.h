#pragma once
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/call.h"

namespace ridge {

enum class Status { kOk, kSkipped, kWrong };

// One call, measured: a line of measurements.jsonl. Every sample is kept.
struct Measurement {
  Call call;
  Method method = Method::kStream;
  Status status = Status::kOk;
  std::string reason;                       // why skipped or wrong
  std::vector<double> samples_s;            // time of one launch, one entry per timed batch
  std::vector<double> busy;                 // beside each sample: CPU busy fraction (1 on a GPU)
  int launches_per_sample = 0;              // launches in a batch
  int64_t rotation_bytes = 0;               // bytes the rotating argument sets span
  std::string detail;                       // Launch::detail(): the algorithm
  bool converged = false;                   // confidence interval under target before time ran out
  bool anchor = false;                      // a repeat that watches drift
  std::map<std::string, double> telemetry;  // sm_clock_hz, power_w, temperature_c: medians
  std::vector<std::string> labels;          // "throttled:power", "interfered"
  std::string run_id;
  double unix_time_s = 0;  // at the start
  double wall_s = 0;       // spent on it in all: operands, verification, warm-up, timing
};

// Statistics of the samples.
struct Summary {
  double median_s = 0, p10_s = 0, p90_s = 0, mean_s = 0, min_s = 0;
  double relative_ci = 0;  // half width of the median's 95 % interval over the median
  std::size_t count = 0;
};
Summary summarize(const std::vector<double>& samples_s);  // of no samples: all 0, relative_ci 1

nlohmann::json to_json(const Measurement& m);
// Throws BadInput that names the missing or wrong key.
Measurement measurement_from_json(const nlohmann::json& j);

}  // namespace ridge
