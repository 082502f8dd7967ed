#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "profilers/llama/speed_test.h"

namespace ridge {

// Chrome's trace format (JSON object, "traceEvents"), for Perfetto and chrome://tracing, of
// profiled tests one behind the other. Times in microseconds. One process; its tracks:
//   steps    phases, in them steps, in them layers, in them operators, each by its role
//   kernels  the launches alone, by call
// and the counters "tokens" (generated so far) and "memory" (weights, KV cache in use, activations,
// in MiB).
nlohmann::json chrome_trace(const std::vector<SpeedResult>& results, const Decoder& decoder);

}  // namespace ridge
