#include "roofline/call_ideal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "profilers/sampler.h"
#include "roofline/staircase.h"

namespace ridge {
namespace {

// Tile of one dim, where its staircase shows that one tile fills one multiprocessor at a time.
double tile_of(const Ceilings& c, const std::string& sweep, int units) {
  for (const Staircase& s : c.staircases)
    if (s.sweep == sweep && s.wave > 0 && std::abs(s.wave_tiles / units - 1) < 0.1) return s.tile;
  return 0;
}

double whole_waves(const Ceilings& c, const OpSpec& spec, const Call& call, int units) {
  if (spec.name != "gemm" || units <= 0) return 1;
  const double tile_m = tile_of(c, "staircase.m", units), tile_n = tile_of(c, "staircase.n", units);
  if (tile_m <= 0 || tile_n <= 0) return 1;
  const auto m = static_cast<double>(dim(spec, call, "m")),
             n = static_cast<double>(dim(spec, call, "n"));
  // Against m · n / tile area, not whole tiles: the ragged edge is part of what is lost. Below a
  // wave libraries choose smaller tiles or split k, which the recovered tile says nothing about.
  const double area = m / tile_m * (n / tile_n);
  const double tiles = std::ceil(m / tile_m) * std::ceil(n / tile_n);
  if (area < units) return 1;
  return wave_quantisation(tiles, units) * tiles / area;
}

}  // namespace

Ideal ideal_of(const Ceilings& c, const OpSpec& spec, const Call& call, double working_set_bytes,
               int units) {
  Work work = spec.work(call);
  work.flops *= whole_waves(c, spec, call, units);
  return ideal(c, work, working_set_bytes);
}

double table_working_set(const OpSpec& spec, const Call& call, const DeviceInfo& device) {
  if (device.last_level_cache_bytes <= 0) return std::numeric_limits<double>::infinity();
  const Work work = spec.work(call);
  const double touched = std::min(static_cast<double>(footprint_bytes(spec, call)),
                                  work.bytes_read + work.bytes_written);
  return std::min(touched * kMostOperandSets,
                  4.0 * static_cast<double>(device.last_level_cache_bytes) + touched);
}

}  // namespace ridge
