#pragma once
#include <memory>
#include <vector>

#include "calibrate/gaussian_process.h"

namespace ridge {

// Where one more observation of a Gaussian process would lower its variance most, summed over all
// candidates (active learning Cohn: Cohn, Neural network exploration using optimal experiment
// design, 1996; with a Gaussian process: Seo et al., Gaussian process regression: active data
// selection and test point rejection, 2000).
class GpDesign {
 public:
  // `candidates`: rows of standardised features, not among `points`.
  GpDesign(const GpPoints& points, const GpParameters& parameters,
           const std::vector<double>& candidates);
  ~GpDesign();
  GpDesign(GpDesign&&) noexcept;
  GpDesign& operator=(GpDesign&&) noexcept;

  // The candidate whose observation lowers most per `cost_s` of it; counts it as observed. One that
  // was taken is not offered again. −1 when all are taken.
  long take(const std::vector<double>& cost_s);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ridge
