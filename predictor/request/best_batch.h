#pragma once
#include <functional>

#include "predictor/request/memory.h"

namespace ridge {

struct BatchPoint {
  int64_t batch = 1;
  RequestPrediction prediction;
  bool fits = true;
};

struct Limits {
  double ttft_s = 0, tpot_s = 0;  // 0: none

  bool hold(const RequestPrediction& p) const;  // of the predicted values, not of their intervals
};

// Throughput and latency over the powers of two up to the largest batch that fits (kMostBatch at
// most), that batch, and the largest within the limits. Where nothing fits, the request itself is
// the only point.
struct BatchCurve {
  std::vector<BatchPoint> points;
  // Farthest above the line between the ends in a plot of throughput over TPOT (over the total time
  // of a request with one token out), both axes scaled to the ends.
  std::optional<std::size_t> knee;
  std::optional<std::size_t> best;  // most tokens/s within the limits
};
inline constexpr int64_t kMostBatch = 1024;  // sequences that engines run at once by default

// `one` with each prompt's count multiplied.
Request batch_of(Request one, int64_t times);

struct BatchSource {
  std::function<RequestPrediction(const Request&)> predict;
  std::function<bool(const Request&)> fits;
};
BatchCurve batch_curve(const BatchSource& source, const Request& one, const Limits& limits);

// Of predict_request() and memory_of().
BatchCurve batch_curve(const TableSet& tables, const Deployment& d, const Request& one,
                       const Limits& limits);

}  // namespace ridge
