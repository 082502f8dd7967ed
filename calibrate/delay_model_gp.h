#pragma once
#include <memory>
#include <span>
#include <vector>

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
GpParameters search_parameters(const GpPoints& points, std::size_t search_points = 160);

// The posterior, ready to be asked. Immutable; safe to share between threads.
class GaussianProcess {
 public:
  GaussianProcess(GpPoints points, GpParameters parameters);
  ~GaussianProcess();
  GaussianProcess(GaussianProcess&&) noexcept;
  GaussianProcess& operator=(GaussianProcess&&) noexcept;

  GpEstimate at(std::span<const double> x) const;
  // What each point would have been predicted as, had it not been there.
  const std::vector<GpEstimate>& leave_one_out() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace ridge
