#pragma once
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/call.h"

namespace ridge {

// "gemm m=16 n=4096 k=4096 f32 [onednn]", as every Ridgepoint output prints a call. Throws BadInput
// that names the wrong word.
Call parse_call(const std::string& text);

// "gemm/m:16/n:4096/k:4096/f32/onednn", for Google Benchmark.
std::string benchmark_name(const Call& call);

// The calls to measure: those of `texts`, or without any a handful of shapes of every operator and
// dtype; each once for every implementation that can run it here. Throws BadInput for a call of
// `texts` that none can.
std::vector<Call> calls_to_measure(const Backend& backend, const std::vector<std::string>& texts);

}  // namespace ridge
