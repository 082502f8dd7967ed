// Tiles and waves, recovered from staircases of machines whose tiles are known.
#include "roofline/staircase.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"
#include "roofline/plan.h"
#include "tests/profilers/fake_backend.h"

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
  const Staircase s = read_staircase(staircase(128, 25, 132, 0.005), 32);
  EXPECT_EQ(s.tile, 128);
  EXPECT_NEAR(s.wave, 5.28 * 128, 0.05 * 5.28 * 128);
}

TEST(ReadStaircase, SeesTilesWithoutWavesOnACpu) {
  const Staircase s = read_staircase(staircase(64, 1, 1, 0.005), 32);
  EXPECT_EQ(s.tile, 64);
  EXPECT_EQ(s.wave, 0);
}

TEST(ReadStaircase, SeesNoWavesInJumpsAtAnyDistance) {
  const std::set<double> after{224, 272, 288, 352, 368, 384, 448, 496};
  std::vector<std::pair<double, double>> times;
  double seconds = 1;
  for (double x = 16; x <= 512; x += 16) {
    times.push_back({x - 1, seconds});
    times.push_back({x, seconds});
    if (after.count(x)) seconds *= 1.1;
    times.push_back({x + 1, seconds});
  }
  const Staircase s = read_staircase(times, 16);
  EXPECT_EQ(s.tile, 16);
  EXPECT_EQ(s.wave, 0);
}

TEST(ReadStaircase, FindsNothingInASmoothCurve) {
  std::mt19937_64 rng(5);
  std::normal_distribution<double> error(0, 0.01);
  std::vector<std::pair<double, double>> smooth;
  for (double x = 64; x <= 4096; x += 64)
    for (const double m : {x - 1, x, x + 1}) smooth.push_back({m, 1e-9 * m * (1 + error(rng))});
  EXPECT_EQ(read_staircase(smooth, 64).tile, 0);
  EXPECT_EQ(read_staircase({}, 64).tile, 0);
}

// A GPU whose multiprocessors take one tile of a product each at a time.
struct Machine {
  int units;
  double tile_m, tile_n;

  double waves(double m, double n) const {
    return std::ceil(std::ceil(m / tile_m) * std::ceil(n / tile_n) / units);
  }
};

// Both staircases, read off the plan for that machine with times that scatter by `noise`.
std::vector<Staircase> measured(const Machine& machine, double noise) {
  FakeBackend fake;
  fake.info.kind = "cuda";
  fake.info.units = machine.units;
  const StaircasePlan plan = staircase_plan(fake);
  std::mt19937_64 rng(7);
  std::normal_distribution<double> error(0, noise);
  std::vector<std::pair<double, double>> times_m, times_n;
  for (const Probe& p : plan.probes) {
    const double waves =
        machine.waves(static_cast<double>(p.call.dims[0]), static_cast<double>(p.call.dims[1]));
    (p.sweep == "staircase.m" ? times_m : times_n)
        .push_back({p.x, 1e-6 * (5 + 20 * waves) * (1 + error(rng))});
  }
  Staircase m = read_staircase(times_m, plan.step), n = read_staircase(times_n, plan.step);
  count_wave_tiles(m, n, plan.held);
  m.sweep = "staircase.m";
  n.sweep = "staircase.n";
  return {m, n};
}

std::vector<Machine> machines() {
  std::vector<Machine> all;
  for (const int units : {40, 108, 132})
    for (const double tile_m : {64, 128, 192, 256})
      for (const double tile_n : {64, 128, 192, 256}) all.push_back({units, tile_m, tile_n});
  return all;
}

TEST(CountWaveTiles, FindsTheMultiprocessorsWhateverTheTiles) {
  for (const Machine& machine : machines())
    for (const double noise : {0.0, 0.003}) {
      SCOPED_TRACE(testing::Message() << machine.units << " units, tiles of " << machine.tile_m
                                      << " x " << machine.tile_n << ", noise " << noise);
      const auto found = measured(machine, noise);
      EXPECT_EQ(found[0].tile, machine.tile_m);
      EXPECT_EQ(found[1].tile, machine.tile_n);
      for (const Staircase& s : found)
        EXPECT_NEAR(s.wave_tiles, machine.units, 0.06 * machine.units) << s.sweep;
    }
}

TEST(CountWaveTiles, KnowsNoneWhereTheOtherTileIsUnknown) {
  Staircase m{.sweep = "staircase.m", .tile = 128, .wave = 640}, n{.sweep = "staircase.n"};
  count_wave_tiles(m, n, 4096);
  EXPECT_EQ(m.wave_tiles, 0);
  EXPECT_EQ(n.wave_tiles, 0);
}

TEST(IdealOf, TakesWholeWavesOfTheTilesThatWereFound) {
  const OpSpec& gemm = find_operator("gemm");
  for (const Machine& machine : machines()) {
    Ceilings c;
    c.values["matrix.f16"] = {.value = 1e14, .unit = "flop/s"};
    for (const char* key : {"dram.read", "dram.write", "dram.copy"})
      c.values[key] = {.value = 1e15, .unit = "byte/s"};
    c.staircases = measured(machine, 0);
    for (const auto& [m, n] : {std::pair{8192, 8192}, {4096, 5120}, {5000, 7001}}) {
      const Call call{"gemm", {m, n, 4096}, Dtype::kF16, ""};
      const double flops_of_a_wave = 2 * machine.tile_m * machine.tile_n * 4096 * machine.units;
      EXPECT_NEAR(ideal_of(c, gemm, call, INFINITY, machine.units).seconds,
                  machine.waves(m, n) * flops_of_a_wave / 1e14, 1e-12)
          << to_string(call) << " in tiles of " << machine.tile_m << " x " << machine.tile_n
          << " on " << machine.units;
    }
  }
}

TEST(WaveQuantisation, IsWholeWavesOverTiles) {
  EXPECT_DOUBLE_EQ(wave_quantisation(132, 132), 1);
  EXPECT_DOUBLE_EQ(wave_quantisation(133, 132), 2 * 132.0 / 133);
  EXPECT_DOUBLE_EQ(wave_quantisation(66, 132), 2);
  EXPECT_DOUBLE_EQ(wave_quantisation(0, 132), 1);
}

}  // namespace
}  // namespace ridge
