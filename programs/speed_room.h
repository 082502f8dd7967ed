#pragma once
#include <vector>

#include "profilers/llama/speed_report.h"

namespace ridge {

struct RoomAsked {
  std::vector<SpeedTest> tests;
  int64_t sweep = 0;  // the largest batch of a sweep; 0: none
  bool graphs = true;
  WeightFormat weights = WeightFormat::kNative;
};

// The decoder's limits for these tests, by the predictor's own estimate of weights, KV cache and
// activations. A sweep is cut to what fits. Throws BadInput where a test does not, with what to
// change.
Decoder::Limits limits_of(const RoomAsked& asked, Backend& backend, const Model& model,
                          Dtype dtype);

PeakMemory peak_memory(Backend& backend, int64_t free_before);

}  // namespace ridge
