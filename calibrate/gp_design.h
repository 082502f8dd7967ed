#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "calibrate/gaussian_process.h"

namespace ridge {

// Where one more observation of a Gaussian process would lower its variance most, summed over all
// candidates (active learning Cohn: Cohn, Neural network exploration using optimal experiment
// design, 1996; with a Gaussian process: Seo et al., Gaussian process regression: active data
// selection and test point rejection, 2000).
class GpDesign {
 public:
  // `candidates`: rows of standardised features, not among `points`. `off`: how far off each point
  // was when it was left out. Variance counts more around points that were far off: a process of
  // one signal everywhere does not know that it errs more there.
  GpDesign(const GpPoints& points, const GpParameters& parameters,
           const std::vector<double>& candidates, const std::vector<double>& off);
  ~GpDesign();
  GpDesign(GpDesign&&) noexcept;
  GpDesign& operator=(GpDesign&&) noexcept;

  // The candidate whose observation lowers most per `cost_s` of it; counts it as observed. One that
  // was taken is not offered again. Nothing when all are taken.
  std::optional<std::size_t> take(const std::vector<double>& cost_s);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ridge
