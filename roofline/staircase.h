#pragma once
#include <utility>
#include <vector>

#include "roofline/ceilings.h"

namespace ridge {

// Tile and wave of a matrix product, read off its latency against one dim (elements, seconds;
// ascending). At each multiple x of `step` there must be x and a little more, and at some a little
// less. One more than a whole number of tiles starts a new row of tiles. Where the multiprocessors
// have no room left for that row it starts a new wave, and the time jumps from x to the next point;
// from the one before to x nothing starts, which tells the noise. The tile is the largest multiple
// of `step` that nearly all jumps are multiples of, the wave the mean distance of the first dozen,
// if nearly all are that far apart but for a tile. 0 where fewer than four jumps show. Hold the
// other dim so that a wave is no whole number of rows, or it looks like a tile: staircase_plan().
Staircase read_staircase(const std::vector<std::pair<double, double>>& times, double step);

// The wave_tiles of both staircases of a product. In each the other dim was held at `held`, which
// is cut into tiles of the size that the other staircase shows; 0 where it shows none.
void count_wave_tiles(Staircase& m, Staircase& n, double held);

// How much longer whole waves take than the tiles themselves would on `units` multiprocessors:
// ceil(tiles / units) · units / tiles, at least 1.
double wave_quantisation(double tiles, double units);

}  // namespace ridge
