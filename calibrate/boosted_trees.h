#pragma once
#include <cstdint>
#include <vector>

#include "calibrate/block.h"

namespace ridge {

// A sum of regression trees whose levels each ask one question of all their nodes, so that a row's
// leaf is the number that the answers spell (Prokhorenkova et al., CatBoost: unbiased boosting with
// categorical features, 2018). Few numbers and no branches.
struct BoostedTrees {
  static constexpr double kUnit = 0x1p-15;  // of a leaf

  int levels = 0;
  double start = 0;
  std::vector<uint16_t> features;  // one a level, tree by tree: is x[feature] > threshold?
  std::vector<float> thresholds;
  std::vector<int16_t> leaves;  // 2^levels a tree; the first level's answer is the lowest bit

  std::size_t trees() const { return levels == 0 ? 0 : features.size() / std::size_t(levels); }
  // The sum for each call of a block (block.h).
  void at(const float* block, float* sum) const;
  friend bool operator==(const BoostedTrees&, const BoostedTrees&) = default;
};

struct TreeOptions {
  int rounds = 600;
  int levels = 6;
  double rate = 0.08;          // share of each tree's answer that is taken
  double ridge = 1;            // leaves are shrunk as if so many rows of 0 lay in each
  double row_share = 0.8;      // of the rows, drawn anew for each tree
  double feature_share = 0.5;  // of the features, likewise
  int bins = 128;              // most thresholds a feature has
  uint64_t seed = 1;
};

// Rows of `features` values and what is to be learned of each.
struct TreeRows {
  std::size_t features = 0;
  std::vector<float> x;
  std::vector<float> y;
};

// Gradient boosting for least squares over histograms of binned features (Friedman, Greedy function
// approximation: a gradient boosting machine, 2001). Deterministic for a seed, on any machine.
BoostedTrees grow_trees(const TreeRows& rows, const TreeOptions& options);

}  // namespace ridge
