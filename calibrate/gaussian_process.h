#pragma once
#include <span>
#include <vector>

#include "calibrate/block.h"

namespace ridge {

// A Gaussian process over standardised features: the sum of a constant, a linear trend under a
// ridge prior, a Matérn-5/2 kernel with one length scale a feature, and noise. Rasmussen &
// Williams, Gaussian Processes for Machine Learning: §2.2 (posterior), §5.4.2 (leave-one-out).
struct GpParameters {
  std::vector<double> weights;  // 1 / length_scale², one a feature
  double signal = 1;            // standard deviation of the Matérn part
  double linear = 0.3;          // prior standard deviation of each slope
  double noise = 0.05;          // standard deviation of one observation, beyond `noise_floor`
};

struct GpPoints {
  std::size_t features = 0;
  std::vector<double> x;            // rows of `features` standardised values
  std::vector<double> y;            // one a row
  std::vector<double> noise_floor;  // known standard deviation of each y
};

struct GpEstimate {
  double mean = 0;
  double sd = 0;  // of a new observation, noise included
};

// Parameters that maximise the marginal likelihood under broad log-normal priors; deterministic.
// At most `search_points` points, evenly chosen, take part in the search.
GpParameters search_parameters(const GpPoints& points, std::size_t search_points = 256);

// What the posterior mean is summed from, and what it says of the points themselves.
struct GpPosterior {
  std::vector<double> pull;   // of each point, on the Matérn part
  std::vector<double> trend;  // slope of each feature
  double offset = 0;
  std::vector<GpEstimate> left_out;  // each point, had it not been there
};
GpPosterior posterior(const GpPoints& points, const GpParameters& parameters);

// The posterior mean, ready to be asked. Immutable; safe to share between threads.
class GpMean {
 public:
  GpMean() = default;
  // `x`: rows of standardised features, one for each `pull`.
  GpMean(std::span<const double> x, const GpParameters& parameters, const GpPosterior& p);

  // The mean for each call of a block, and the prior correlation (0 … 1) of the closest point.
  void at(const float* block, float* mean, float* nearest) const;

 private:
  struct Feature {
    std::size_t index;
    float scale;  // √(5 · weight): the Matérn kernel takes √5 distances
  };
  std::vector<Feature> near_;  // those that set distances at all
  std::vector<float> points_;  // scaled, point by point, `near_` of each
  std::vector<float> pull_, trend_;
  float offset_ = 0, signal2_ = 0;
};

}  // namespace ridge
