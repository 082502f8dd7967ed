#include "calibrate/gp_design.h"

#include <Eigen/Cholesky>

#include "calibrate/gp_kernel.h"

namespace ridge {
namespace {

using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Mean of `off` around each column's candidate, over points by their correlation with it, with the
// mean of all as one more point.
VectorXd local_errors(const MatrixXd& correlations, const VectorXd& off) {
  const ArrayXXd w = correlations.array().pow(4);
  const double mean = off.mean();
  return ((w.matrix().transpose() * off).array() + mean) / (w.colwise().sum().transpose() + 1);
}

}  // namespace

struct GpDesign::State {
  MatrixXd v;      // covariance of the candidates, given all that was observed
  VectorXd count;  // how much the variance of each counts
  std::vector<bool> taken;
  double noise2 = 0;
};

GpDesign::GpDesign(const GpPoints& points, const GpParameters& parameters,
                   const std::vector<double>& candidates, const std::vector<double>& off)
    : state_(std::make_unique<State>()) {
  const MatrixXd x = matrix_of(points.x, points.features),
                 z = matrix_of(candidates, points.features);
  const MatrixXd across = covariance(x, z, parameters);
  const MatrixXd half = observed_covariance(x, points, parameters).llt().matrixL().solve(across);
  state_->v = covariance(z, z, parameters) - half.transpose() * half;
  const VectorXd errors =
      local_errors(correlation(x, z, parameters), Eigen::Map<const VectorXd>(off.data(), x.rows()));
  state_->count = errors.array().square();
  state_->taken.assign(static_cast<std::size_t>(z.rows()), false);
  state_->noise2 = parameters.noise * parameters.noise + 1e-6;
}

GpDesign::~GpDesign() = default;
GpDesign::GpDesign(GpDesign&&) noexcept = default;
GpDesign& GpDesign::operator=(GpDesign&&) noexcept = default;

std::optional<std::size_t> GpDesign::take(const std::vector<double>& cost_s) {
  State& s = *state_;
  const VectorXd lowered = s.v.array().square().matrix().transpose() * s.count;
  Eigen::Index best = -1;
  double most = -1;
  for (Eigen::Index i = 0; i < s.v.rows(); ++i) {
    if (s.taken[static_cast<std::size_t>(i)]) continue;
    const double gain = lowered(i) / (s.v(i, i) + s.noise2) / cost_s[static_cast<std::size_t>(i)];
    if (gain > most) {
      most = gain;
      best = i;
    }
  }
  if (best < 0) return {};
  s.taken[static_cast<std::size_t>(best)] = true;
  const VectorXd column = s.v.col(best);
  s.v.noalias() -= column * (column / (column(best) + s.noise2)).transpose();
  return static_cast<std::size_t>(best);
}

}  // namespace ridge
