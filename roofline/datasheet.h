#pragma once
#include "roofline/ceilings.h"
#include "roofline/device_specs.h"

namespace ridge {

// What a device that is not here would say of itself, as far as its datasheet knows.
DeviceInfo device_info(const DeviceSpec& spec);

// Ceilings of a device that nobody measured: the datasheet's dense peaks and its DRAM bandwidth,
// for reads, writes and copies alike, and those of L2 and of the link where they are known. Each
// says "datasheet" as its method (L2, which no datasheet has, "published"). No levels: what the
// calls that were timed elsewhere left in the caches, nobody knows, so that an ideal time takes all
// operands from DRAM.
Ceilings datasheet_ceilings(const DeviceSpec& spec);

}  // namespace ridge
