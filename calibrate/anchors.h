#pragma once
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "profilers/measurement.h"
#include "roofline/ceilings.h"

namespace ridge {

// Calls that are measured again and again through a run. Of operators (those in `only`, if any):
// one bound by compute, one by memory, one by its launch; they show drift. Of probes: reads, writes
// and a copy of DRAM, whose best raises the ceilings.
std::vector<Call> anchors(const Backend& backend, const std::vector<std::string>& only);

// A ceiling is the best that was ever seen: a machine that was slow while its ceilings were
// measured and fast afterwards shows delays below 1. True where an
// anchor raised one: then judge() it again.
bool raise_ceilings(Ceilings& ceilings, const std::vector<Measurement>& measurements);

}  // namespace ridge
