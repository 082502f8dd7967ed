// Edges of caches, from curves of machines whose caches are known.
#include "roofline/levels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ridge {
namespace {

struct Cache {
  double bytes, bandwidth;
};

// A machine whose caches keep what they can of a working set: `hit` of it is served by the first
// level that is large enough, the rest by the next.
std::vector<std::pair<double, double>> curve(const std::vector<Cache>& caches, double dram,
                                             double noise) {
  std::mt19937_64 rng(7);
  std::uniform_real_distribution<double> slower(0, noise);
  std::vector<std::pair<double, double>> points;
  for (double bytes = 4096; bytes < 600e6; bytes *= std::sqrt(2.0)) {
    double time = 0, left = 1;
    for (const Cache& c : caches) {
      // Twice its size and nothing of a cyclic walk is found again.
      const double hit = left * std::clamp(2 - bytes / c.bytes, 0.0, 1.0);
      time += hit / c.bandwidth;
      left -= hit;
    }
    time += left / dram;
    points.push_back({bytes, 1 / time * (1 - slower(rng)) * bytes / (bytes + 3000)});
  }
  return points;
}

TEST(FindEdges, FindsThreeLevelsWithinAQuarter) {
  const auto edges = find_edges(curve({{96e3, 800e9}, {2e6, 400e9}, {32e6, 150e9}}, 50e9, 0.05));
  ASSERT_EQ(edges.size(), 3u);
  EXPECT_NEAR(edges[0] / 96e3, 1.3, 0.35);
  EXPECT_NEAR(edges[1] / 2e6, 1.3, 0.35);
  EXPECT_NEAR(edges[2] / 32e6, 1.15, 0.25);
}

TEST(FindEdges, FindsTheOneLevelOfAGpusSharedCache) {
  const auto edges = find_edges(curve({{50e6, 5.5e12}}, 3e12, 0.03));
  ASSERT_EQ(edges.size(), 1u);
  EXPECT_NEAR(edges[0] / 50e6, 1.15, 0.25);
}

TEST(FindEdges, KnowsWhatNoCacheCanHold) {
  auto points = curve({{32e6, 150e9}}, 50e9, 0.02);
  for (auto& [bytes, rate] : points)
    if (bytes > 150e6) rate /= 2;  // a neighbour came
  EXPECT_EQ(find_edges(points, 64e6).size(), 1u);
}

TEST(FindEdges, FindsNoneInNoise) {
  EXPECT_TRUE(find_edges(curve({}, 50e9, 0.1)).empty());
  EXPECT_TRUE(find_edges({}).empty());
  EXPECT_TRUE(find_edges({{4096, 1e9}}).empty());
}

TEST(InsideLevel, KeepsClearOfTheEdges) {
  const std::vector<double> edges{100, 10000};
  EXPECT_EQ(inside_level(edges, 0).low, 0);
  EXPECT_LT(inside_level(edges, 0).high, 100);
  EXPECT_GT(inside_level(edges, 1).low, 100);
  EXPECT_TRUE(std::isinf(inside_level(edges, 2).high));
}

}  // namespace
}  // namespace ridge
