#pragma once
#include <utility>
#include <vector>

#include "roofline/ceilings.h"

namespace ridge {

// Tile and wave of a matrix product, read off its latency against one dim (elements, seconds;
// ascending). Points must come in triples around multiples of `step`: x − 1, x, x + 1. One more
// than a whole number of tiles starts a new row of tiles. Where the multiprocessors have no room
// left for that row it starts a new wave, and the time jumps from x to x + 1; from x − 1 to x
// nothing starts, which tells the noise. The tile is the largest multiple of `step` that nearly all
// jumps are multiples of, the wave their mean distance. (Choose the other dim so that its
// `tiles_across` do not divide the multiprocessors, or a wave looks like a tile.) 0 where fewer
// than four jumps show.
Staircase read_staircase(const std::vector<std::pair<double, double>>& times, double step,
                         double tiles_across);

// How much longer whole waves take than the tiles themselves would on `units` multiprocessors:
// ceil(tiles / units) · units / tiles, at least 1.
double wave_quantisation(double tiles, double units);

}  // namespace ridge
