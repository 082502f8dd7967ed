#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/boosted_trees.h"
#include "kernels/core/dtype.h"

namespace ridge {

inline constexpr double kNormal80 = 1.2816;  // standard deviations that hold 80 % of a normal

// The fitted delay of one operator, dtype and implementation:
//   latency = (fixed_s + ideal) · exp(log delay),  never below ideal · floor
//   log delay = shares · (process, direct, process + beyond)
// of three models over the same features (physics_features.h): a Gaussian process through a few
// hundred `samples`, trees grown on all samples, and trees grown on what the process leaves. Where
// there are too few samples it is one constant. Dims and features outside of what was measured are
// held at the edge, so beyond it latency grows as ideal does.
struct Curve {
  std::string op;
  Dtype dtype = Dtype::kF32;
  std::string implementation;
  std::string kind;                          // "blend", "constant"
  double fixed_s = 0;                        // cost of a call however small
  double floor = 1;                          // min(1, smallest measured delay factor)
  std::vector<int64_t> dims_low, dims_high;  // measured domain
  std::size_t count = 0;                     // samples that it was fitted to

  // blend
  std::vector<std::string> features;
  std::vector<double> low, high;       // of each feature, measured
  std::vector<double> centre, scale;   // z = (clamp(feature, low, high) − centre) / scale
  std::vector<std::size_t> samples;    // of the process, into DelayTable::samples
  std::vector<double> pull;            // of each of them (GpPosterior)
  std::vector<double> weights, trend;  // of each feature (GpParameters, GpPosterior)
  double signal = 0, offset = 0;
  BoostedTrees direct, beyond;
  std::vector<double> shares;  // of process, direct, process + beyond: sum 1

  // How far off a call may be: exp(spread) · interval holds 80 % of what cross-validation left out,
  // of calls whose closest sample is as near (`nearest`: prior correlation) as those mostly are.
  // Where nothing was measured of a call's column, the nearest of `columns` d doublings away, it is
  // exp(spread) · away · (kNextColumn + d), if that is more. `columns` has the dims of layer_axes()
  // (columns.h) of each; where they are told by no column apart, none and `away` 0.
  static constexpr double kNextColumn = 0.5;
  BoostedTrees spread;
  double interval = kNormal80;
  double nearest = 0;
  double away = 0;
  std::vector<int64_t> columns;

  // constant
  double log_delay = 0, log_delay_sd = 0;

  // Of |predicted / measured − 1| in cross-validation.
  double cv_mean_error = 0, cv_median_error = 0, cv_p90_error = 0;

  friend bool operator==(const Curve&, const Curve&) = default;
};

}  // namespace ridge
