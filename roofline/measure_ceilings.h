#pragma once
#include <functional>
#include <string>

#include "kernels/core/backend.h"
#include "profilers/sampler.h"
#include "roofline/ceilings.h"

namespace ridge {

// Told before each measurement: how far along (0 … 1) and what comes.
using OnProgress = std::function<void(double share, const std::string& what)>;

// Measures what the device allows, with the sampler that measures the operators:
//   arithmetic  per dtype the fastest of the register-resident loops (fma_peak, mma_peak, over
//               their sweep of parallelism) and of large GEMMs; both are kept as
//               "matrix.bf16.loop" and "matrix.bf16.gemm", the larger also as "matrix.bf16"
//   memory      dram.read, dram.write, dram.copy, dram.triad over 4 to 16 × the last-level cache
//   launch      the shortest call there is, by the stream and the graph method
// A ceiling is the rate of the fastest tenth of the samples of the best configuration: it says what
// the hardware allows, not what it does on average. What does not run here is left out.
Ceilings measure_ceilings(Backend& backend, Sampler& sampler, double budget_s,
                          const OnProgress& progress);

}  // namespace ridge
