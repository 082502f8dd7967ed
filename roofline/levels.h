#pragma once
#include <limits>
#include <utility>
#include <vector>

#include "roofline/ceilings.h"

namespace ridge {

// Where read bandwidth against working set (byte, byte/s; ascending) steps down: one edge a level,
// nearest first. Noise and the slow start of tiny sets are taken off by the envelope of all larger
// sets (a larger working set is never faster), which is then cut into as few flat pieces as explain
// it; an edge lies where the bandwidth, as time per byte, has gone a third of the way from one
// piece to the next, or 15 % after the last level. Steps beyond `most` bytes are none of a cache:
// noise that outlasts a measurement makes them. Empty where nothing steps.
std::vector<double> find_edges(const std::vector<std::pair<double, double>>& bandwidth,
                               double most = std::numeric_limits<double>::infinity());

// The best bandwidth of `points` that lies inside each level and clear of its edges.
struct LevelRange {
  double low = 0, high = 0;  // bytes
};
// `index` into the levels of `edges`; one more than the last is DRAM.
LevelRange inside_level(const std::vector<double>& edges, std::size_t index);

}  // namespace ridge
