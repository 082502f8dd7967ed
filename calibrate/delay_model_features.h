#pragma once
#include <string>
#include <vector>

#include "kernels/core/op_spec.h"
#include "roofline/ceilings.h"

namespace ridge {

// The output of a call as a grid that is cut into tiles and spread over the device's units:
// `batch` independent grids of rows × cols, each element a sum over `depth`.
struct TileView {
  double batch = 1, rows = 1, cols = 1, depth = 1;
};
TileView tile_view(const OpSpec& spec, const Call& call);

// What a call's delay is learned from; the same order as feature_names.
//   log <axis>      every dim
//   log ideal_s, log bytes, log compute/dram (the last 0 without arithmetic): the roofline's terms
//   wave            log(⌈w⌉ / w), w = 128 × 128 tiles over the units: idle units of the last wave
//   tile            log of the work added by rounding rows and cols up to 64
//   align <axis>    log2 of the largest power of two ≤ 64 bytes that divides the row of that axis
// Everything is bounded or grows with the log of the dims, so that holding a feature at the edge
// of the measured domain holds the delay.
std::vector<std::string> feature_names(const OpSpec& spec);
std::vector<double> features(const OpSpec& spec, const Call& call, const Ceilings& ceilings,
                             int units);

}  // namespace ridge
