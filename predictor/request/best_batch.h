#pragma once
#include "predictor/request/memory.h"

namespace ridge {

struct BatchPoint {
  int64_t batch = 1;
  RequestPrediction prediction;
  bool fits = true;
};

struct Limits {
  double ttft_s = 0, tpot_s = 0;  // 0: none
};

// Throughput and latency over powers of two up to what fits, and the ends of it.
struct BatchCurve {
  std::vector<BatchPoint> points;
  std::optional<std::size_t> knee;  // farthest from the line between the ends, both axes scaled
  std::optional<std::size_t> best;  // most tokens/s within the limits
};
BatchCurve batch_curve(const TableSet& tables, const Deployment& d, const Request& one,
                       const Limits& limits);

}  // namespace ridge
