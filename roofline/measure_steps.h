#pragma once
#include "roofline/plan.h"
#include "roofline/probe.h"

// The steps of measure_roofline() that are more than a list of probes. Each adds to the prober's
// ceilings.
namespace ridge {

// Finds the levels by read bandwidth against working set, looks closer at their edges, and takes
// each level's bandwidth of every kind.
void measure_levels(Prober& prober, Depth depth, double budget_s);

// "latency.<level>" from the sweep: the least latency well inside each level, and that of the
// longest walk for DRAM. With cycles in the method where "clock" is known.
void read_latencies(Prober& prober);

// "dram.turnaround", what turning the bus costs: the largest share of bandwidth that a mix of DRAM
// reads and writes loses against its reads and its writes apart, all by the kernel of the sweep
// "mix".
void read_turnaround(Prober& prober);

// "small_copy.fixed" and "small_copy.rate": time = fixed + bytes / rate through the sweep
// "copy_size", weighted by 1 / time².
void fit_small_copies(Prober& prober);

// Host to device and back, pinned and pageable, 4 KiB to 256 MiB: "host_copy.…", where the device
// has memory of its own.
void measure_host_copies(Prober& prober);

// `seconds` of the best product of `key`: ".boost" is what its first second allows, ".sustained"
// what power and heat leave in its second half.
void measure_sustained(Prober& prober, const std::string& key, double seconds);

}  // namespace ridge
