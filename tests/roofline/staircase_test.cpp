// Tiles and waves, recovered from staircases of machines whose tiles are known.
#include "roofline/staircase.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ridge {
namespace {

// A GPU of `units` multiprocessors that take one tile of the product each at a time.
std::vector<std::pair<double, double>> staircase(double tile, double across, double units,
                                                 double noise) {
  std::mt19937_64 rng(3);
  std::normal_distribution<double> error(0, noise);
  std::vector<std::pair<double, double>> points;
  for (double x = 32; x <= 4096; x += 32)
    for (const double m : {x - 1, x, x + 1}) {
      const double waves = std::ceil(std::ceil(m / tile) * across / units);
      points.push_back({m, 1e-6 * (5 + 20 * waves) * (1 + error(rng))});
    }
  return points;
}

TEST(ReadStaircase, RecoversTileAndWave) {
  // An H200: 25 tiles across are 5.28 rows of tiles a wave of 132.
  const Staircase s = read_staircase(staircase(128, 25, 132, 0.005), 32, 25);
  EXPECT_EQ(s.tile, 128);
  EXPECT_NEAR(s.wave_tiles, 132, 0.05 * 132);
  EXPECT_NEAR(s.wave, 5.28 * 128, 0.05 * 5.28 * 128);
}

TEST(ReadStaircase, SeesTilesWithoutWavesOnACpu) {
  const Staircase s = read_staircase(staircase(64, 1, 1, 0.005), 32, 1);
  EXPECT_EQ(s.tile, 64);
  EXPECT_EQ(s.wave, 0);
}

TEST(ReadStaircase, FindsNothingInASmoothCurve) {
  std::mt19937_64 rng(5);
  std::normal_distribution<double> error(0, 0.01);
  std::vector<std::pair<double, double>> smooth;
  for (double x = 64; x <= 4096; x += 64)
    for (const double m : {x - 1, x, x + 1}) smooth.push_back({m, 1e-9 * m * (1 + error(rng))});
  EXPECT_EQ(read_staircase(smooth, 64, 32).tile, 0);
  EXPECT_EQ(read_staircase({}, 64, 32).tile, 0);
}

TEST(WaveQuantisation, IsWholeWavesOverTiles) {
  EXPECT_DOUBLE_EQ(wave_quantisation(132, 132), 1);
  EXPECT_DOUBLE_EQ(wave_quantisation(133, 132), 2 * 132.0 / 133);
  EXPECT_DOUBLE_EQ(wave_quantisation(66, 132), 2);
  EXPECT_DOUBLE_EQ(wave_quantisation(0, 132), 1);
}

}  // namespace
}  // namespace ridge
