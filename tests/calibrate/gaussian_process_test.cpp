#include "calibrate/gaussian_process.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "calibrate/gp_design.h"

namespace ridge {
namespace {

GpPoints sine(int count) {
  GpPoints p{.features = 1, .x = {}, .y = {}, .noise_floor = {}};
  for (int i = 0; i < count; ++i) {
    p.x.push_back(-2 + 4.0 * i / (count - 1));
    p.y.push_back(std::sin(p.x.back()));
    p.noise_floor.push_back(1e-3);
  }
  return p;
}

struct Answer {
  double mean, nearest;
};

Answer ask(const GpMean& gp, const std::vector<double>& x) {
  std::vector<float> block(x.size() * kBlock);
  for (std::size_t j = 0; j < x.size(); ++j)
    std::fill_n(block.begin() + static_cast<std::ptrdiff_t>(j * kBlock), kBlock,
                static_cast<float>(x[j]));
  float mean[kBlock], nearest[kBlock];
  gp.at(block.data(), mean, nearest);
  return {static_cast<double>(mean[kBlock - 1]), static_cast<double>(nearest[kBlock - 1])};
}

TEST(GaussianProcess, FollowsAKnownFunction) {
  const GpPoints p = sine(25);
  const GpParameters found = search_parameters(p);
  const GpMean gp(p.x, found, posterior(p, found));
  for (const double x : {-1.93, -0.4, 0.05, 1.11})
    EXPECT_NEAR(ask(gp, {x}).mean, std::sin(x), 5e-3);
  EXPECT_NEAR(ask(gp, {p.x[3]}).nearest, 1, 1e-4);
  EXPECT_LT(ask(gp, {9}).nearest, ask(gp, {2.5}).nearest);
}

TEST(GaussianProcess, ClosedFormLeaveOneOutIsRefittingWithout) {
  GpPoints p{.features = 2, .x = {}, .y = {}, .noise_floor = {}};
  std::mt19937_64 rng(7);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 12; ++i) {
    const double a = normal(rng), b = normal(rng);
    p.x.insert(p.x.end(), {a, b});
    p.y.push_back(0.3 * a + std::cos(b));
    p.noise_floor.push_back(0.01);
  }
  const GpParameters fixed{.weights = {0.7, 1.3}, .signal = 0.8, .linear = 0.4, .noise = 0.05};
  const auto left_out = posterior(p, fixed).left_out;
  for (std::size_t i = 0; i < 12; ++i) {
    GpPoints rest = p;
    const auto at = static_cast<std::ptrdiff_t>(i);
    rest.x.erase(rest.x.begin() + 2 * at, rest.x.begin() + 2 * at + 2);
    rest.y.erase(rest.y.begin() + at);
    rest.noise_floor.erase(rest.noise_floor.begin() + at);
    const GpMean without(rest.x, fixed, posterior(rest, fixed));
    // The mean is asked for in single precision.
    EXPECT_NEAR(left_out[i].mean, ask(without, {p.x[2 * i], p.x[2 * i + 1]}).mean, 2e-4);
  }
}

// Points lie at -2 … 2; of candidates, that in the gap tells most, and once it is taken the next
// lies elsewhere.
TEST(GpDesign, AsksWhereLeastIsKnown) {
  GpPoints p{.features = 1, .x = {-2, -1.8, -1.6, 1.6, 1.8, 2}, .y = {}, .noise_floor = {}};
  p.y.assign(6, 0.5);
  p.noise_floor.assign(6, 1e-3);
  const GpParameters known{.weights = {1}, .signal = 1, .linear = 0.1, .noise = 0.01};
  const std::vector<double> candidates{-1.9, -1.7, 0, 0.1, 1.7, 1.9};
  const std::vector<double> off(6, 0.1), cost(6, 1);
  GpDesign design(p, known, candidates, off);
  const std::size_t first = design.take(cost).value();
  EXPECT_TRUE(first == 2 || first == 3);
  for (int i = 1; i < 6; ++i) EXPECT_TRUE(design.take(cost));
  EXPECT_FALSE(design.take(cost));
}

TEST(GpDesign, WeighsWhatAMeasurementCosts) {
  GpPoints p{.features = 1, .x = {-2, 2}, .y = {0, 0}, .noise_floor = {1e-3, 1e-3}};
  const GpParameters known{.weights = {1}, .signal = 1, .linear = 0.1, .noise = 0.01};
  GpDesign design(p, known, {-0.3, 0.3}, {0.1, 0.1});
  EXPECT_EQ(design.take({100, 1}), 1u);
}

// Two gaps alike; around one of them the points were far off.
TEST(GpDesign, AsksMoreWherePointsWereFarOff) {
  GpPoints p{.features = 1, .x = {-6, -4, 4, 6}, .y = {0, 0, 0, 0}, .noise_floor = {}};
  p.noise_floor.assign(4, 1e-3);
  const GpParameters known{.weights = {1}, .signal = 1, .linear = 0.01, .noise = 0.01};
  GpDesign design(p, known, {-5, 5}, {0.01, 0.01, 0.5, 0.5});
  EXPECT_EQ(design.take({1, 1}), 1u);
}

}  // namespace
}  // namespace ridge
