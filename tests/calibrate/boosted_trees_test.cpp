#include "calibrate/boosted_trees.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "calibrate/base64.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

double ask(const BoostedTrees& trees, const std::vector<float>& x) {
  std::vector<float> block(x.size() * kBlock);
  for (std::size_t j = 0; j < x.size(); ++j)
    std::fill_n(block.begin() + static_cast<std::ptrdiff_t>(j * kBlock), kBlock, x[j]);
  float sum[kBlock];
  trees.at(block.data(), sum);
  return static_cast<double>(sum[0]);
}

TreeRows rows_of(std::size_t count, const std::function<float(float, float)>& law) {
  TreeRows rows{.features = 2, .x = {}, .y = {}};
  std::mt19937_64 rng(3);
  std::uniform_real_distribution<float> unit(0, 1);
  for (std::size_t i = 0; i < count; ++i) {
    const float a = unit(rng), b = unit(rng);
    rows.x.insert(rows.x.end(), {a, b});
    rows.y.push_back(law(a, b));
  }
  return rows;
}

// Steps in two features that act together: what trees are made for.
TEST(BoostedTrees, LearnSteps) {
  auto law = [](float a, float b) {
    return (a > 0.5F ? 1.0F : 0.0F) + (a > 0.5F && b > 0.3F ? 0.5F : 0.0F);
  };
  const BoostedTrees trees =
      grow_trees(rows_of(2000, law), {.rounds = 200, .levels = 3, .feature_share = 1});
  for (const auto& [a, b] : {std::pair{0.2F, 0.9F}, {0.8F, 0.1F}, {0.8F, 0.8F}, {0.3F, 0.1F}})
    EXPECT_NEAR(ask(trees, {a, b}), static_cast<double>(law(a, b)), 0.03);
}

TEST(BoostedTrees, FollowASmoothLaw) {
  auto law = [](float a, float b) { return std::sin(3 * a) + b * b; };
  const BoostedTrees trees = grow_trees(rows_of(4000, law), {.rounds = 400});
  double worst = 0;
  for (const float a : {0.1F, 0.35F, 0.6F, 0.85F})
    for (const float b : {0.15F, 0.5F, 0.8F})
      worst = std::max(worst, std::abs(ask(trees, {a, b}) - static_cast<double>(law(a, b))));
  EXPECT_LT(worst, 0.05);
}

TEST(BoostedTrees, AreTheSameForASeedAndOnlyForThat) {
  const TreeRows rows = rows_of(300, [](float a, float b) { return a * b; });
  TreeOptions options{.rounds = 20, .levels = 4};
  const BoostedTrees once = grow_trees(rows, options);
  EXPECT_EQ(once, grow_trees(rows, options));
  options.seed = 2;
  EXPECT_NE(once, grow_trees(rows, options));
}

TEST(BoostedTrees, WithNothingToAskAreTheMean) {
  TreeRows rows{.features = 1, .x = {7, 7, 7, 7}, .y = {1, 2, 3, 6}};
  EXPECT_NEAR(ask(grow_trees(rows, {}), {7}), 3, 1e-6);
  EXPECT_EQ(grow_trees(rows, {}).trees(), 0u);
  EXPECT_NEAR(ask(grow_trees({.features = 1, .x = {4}, .y = {0.5F}}, {}), {9}), 0.5, 1e-6);
}

// Outside of the rows an answer is that of the nearest edge: trees do not extrapolate.
TEST(BoostedTrees, HoldTheEdge) {
  const BoostedTrees trees = grow_trees(rows_of(500, [](float a, float) { return a; }), {});
  EXPECT_DOUBLE_EQ(ask(trees, {5, 0.5F}), ask(trees, {500, 0.5F}));
}

// RFC 4648, §10: "fo" and "foob" are two and four bytes.
TEST(Base64, IsAsTheRfcHasIt) {
  EXPECT_EQ(to_base64({'f' | 'o' << 8}), "Zm8=");
  EXPECT_EQ(to_base64({'f' | 'o' << 8, 'o' | 'b' << 8}), "Zm9vYg==");
  EXPECT_EQ(to_base64({}), "");
}

TEST(Base64, ReadsWhatItWroteAndNothingElse) {
  std::mt19937_64 rng(1);
  for (std::size_t n = 0; n < 20; ++n) {
    std::vector<int16_t> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<int16_t>(rng()));
    EXPECT_EQ(from_base64(to_base64(values)), values);
  }
  for (const char* wrong : {"A", "Zm8", "Zm9v", "Z*8=", "Zg=="})
    EXPECT_THROW(from_base64(wrong), BadInput);
}

}  // namespace
}  // namespace ridge
