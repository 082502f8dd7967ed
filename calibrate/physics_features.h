#pragma once
#include <span>
#include <string>
#include <vector>

#include "calibrate/table.h"
#include "kernels/core/op_spec.h"
#include "roofline/ceilings.h"

namespace ridge {

// The output of a call as a grid that is cut into tiles and spread over the device's units:
// `batch` independent grids of rows × cols, each element a sum over `depth`.
struct TileView {
  double batch = 1, rows = 1, cols = 1, depth = 1;
};
TileView tile_view(const OpSpec& spec, const Call& call);

// What a call's delay is learned from: the terms of its roofline and of its launch as tiles.
// - log <axis>: every dim
// - log ideal_s, log bytes, log bytes/cache, log outputs
// - ragged rows|cols|depth: how many times more 2 would divide the largest power of two not above
//   it, up to 128: 0 for powers of two and multiples of 128
// And of matrix products, whose second operand is what a GEMM calls weights:
// - log compute_s, log compute/memory, log operand/cache …
// - waves RxC: log(⌈w⌉ / w), w tiles of R × C over the units: how idle the last wave is
// - padded RxC: log(work of ⌈w⌉ whole waves / work)
// - best_tile, best_s: of those tiles, split along the depth or not, the one that takes least,
//   and its time over the roofline's: what a library would choose
// Values only grow with the log of the dims, or are bounded.
class PhysicsFeatures {
 public:
  PhysicsFeatures(const OpSpec& spec, Dtype dtype, const Ceilings& ceilings, int units,
                  double cache_bytes);

  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }
  // `out` has size() places.
  void operator()(const Call& call, std::span<float> out) const;

 private:
  void tiles(const TileView& v, double compute_s, double memory_s, float*& out) const;

  const OpSpec* spec_;
  double unit_s_ = 0;   // of one flop on one unit
  double peak_ = 0;     // flop/s; 0 where it is no matrix product or has no ceiling
  double bytes_s_ = 0;  // of one byte from memory
  double bytes_per_element_ = 1;
  double launch_s_, units_, cache_bytes_;
  std::vector<std::string> names_;
};

// The feature "log <axis>" of a dim.
float log_dim(int64_t value, const Axis& a);

// Of any call of an operator: what a pipe and an arithmetic are read off.
Work any_work(const OpSpec& spec, Dtype dtype);

// Those of a curve's operator and dtype on the table's device.
PhysicsFeatures physics_features(const DelayTable& table, const Curve& curve);

}  // namespace ridge
