#pragma once
#include "roofline/plan.h"
#include "roofline/probe.h"

namespace ridge {

// Measures all that the device allows (docs/roofline.md), with the sampler that measures operators.
// Quick: arithmetic peaks, DRAM and cache bandwidths and latencies, read-write mixes, launch costs.
// Full: also every stream kind over the whole working-set curve, patterns, bursts, zeroed inputs,
// parallelism, ten seconds of sustained load, small copies, host copies, the staircase.
// `budget_s` is a goal: every probe is measured once at least.
Ceilings measure_roofline(Backend& backend, const SamplerOptions& sampling, Depth depth,
                          double budget_s, const OnProgress& progress);

// Adds percent of datasheet and of what the measured clock allows, and the verdicts.
void judge(Ceilings& ceilings, const DeviceInfo& device);

}  // namespace ridge
