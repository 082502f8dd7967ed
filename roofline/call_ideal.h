#pragma once
#include "kernels/core/backend.h"
#include "kernels/core/op_spec.h"
#include "roofline/ceilings.h"

namespace ridge {

// The ideal time of a call: its work over the ceilings, at the level that holds
// `working_set_bytes`. A matrix product on a GPU takes whole waves of tiles (Ceilings::staircases):
// from one wave on its arithmetic takes as long as ceil(tiles / units) waves would.
Ideal ideal_of(const Ceilings& c, const OpSpec& spec, const Call& call, double working_set_bytes,
               int units);

// What a call's operands span when a table is measured: fresh sets in turn (sampler.h). Infinite
// for a device that does not tell its caches.
double table_working_set(const OpSpec& spec, const Call& call, const DeviceInfo& device);

}  // namespace ridge
