#pragma once
#include <vector>

#include "calibrate/block.h"
#include "calibrate/boosted_trees.h"
#include "calibrate/physics_features.h"
#include "calibrate/table.h"

namespace ridge {

// Of each feature over some rows.
struct FeatureRange {
  std::vector<double> low, high;
  std::vector<double> centre, scale;  // mean and standard deviation; 1 where it does not vary

  double standardised(std::size_t feature, double value) const {
    return (value - centre[feature]) / scale[feature];
  }
};
FeatureRange range_of(const std::vector<float>& x, std::size_t features);

// What a curve is fitted to: the features of each sample and the log delay to be learned.
struct FitRows {
  std::size_t features = 0;
  std::vector<float> x;               // rows of `features` values
  double fixed_s = 0;                 // cost of a call however small
  std::vector<double> y;              // log(median / (fixed + ideal))
  std::vector<double> doubt;          // standard error of y, from the spread of its samples
  FeatureRange range;                 // of x
  std::vector<std::size_t> controls;  // rows that errors are told by: kControl ones, or all

  std::size_t size() const { return y.size(); }
  double z(std::size_t row, std::size_t feature) const {
    return range.standardised(feature, static_cast<double>(x[row * features + feature]));
  }
};

FitRows fit_rows(const PhysicsFeatures& features, const std::vector<const Sample*>& samples,
                 double launch_s);

// `count` of 0 … n − 1 in an order that looks random and is always the same.
std::vector<std::size_t> some_of(std::size_t n, std::size_t count);

// The trees' answers for `of`, into their places of `answers`.
void evaluate(const FitRows& rows, const std::vector<std::size_t>& of, const BoostedTrees& trees,
              std::vector<double>& answers);

}  // namespace ridge
