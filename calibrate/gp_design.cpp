#include "calibrate/gp_design.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

namespace ridge {
namespace {

using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kConstantVariance = 10;  // as of the process itself

MatrixXd rows(const std::vector<double>& x, std::size_t features) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto d = static_cast<Eigen::Index>(features);
  return Eigen::Map<const RowMajor>(x.data(), static_cast<Eigen::Index>(x.size()) / d, d);
}

MatrixXd correlation(const MatrixXd& a, const MatrixXd& b, const GpParameters& p) {
  const VectorXd length =
      Eigen::Map<const VectorXd>(p.weights.data(), a.cols()).cwiseSqrt() * std::sqrt(5.0);
  const MatrixXd sa = a * length.asDiagonal(), sb = b * length.asDiagonal();
  ArrayXXd r2 = (-2 * sa * sb.transpose()).array();
  r2.colwise() += sa.rowwise().squaredNorm().array();
  r2.rowwise() += sb.rowwise().squaredNorm().transpose().array();
  const ArrayXXd r = r2.max(1e-12).sqrt();
  return ((1 + r + r.square() / 3) * (-r).exp()).matrix();
}

MatrixXd covariance(const MatrixXd& a, const MatrixXd& b, const GpParameters& p) {
  MatrixXd c = p.signal * p.signal * correlation(a, b, p);
  c += p.linear * p.linear * a * b.transpose();
  c.array() += kConstantVariance;
  return c;
}

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
  const MatrixXd x = rows(points.x, points.features), z = rows(candidates, points.features);
  MatrixXd c = covariance(x, x, parameters);
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    const double known = points.noise_floor[static_cast<std::size_t>(i)];
    c(i, i) += parameters.noise * parameters.noise + known * known + 1e-10;
  }
  const MatrixXd across = covariance(x, z, parameters);
  const MatrixXd half = c.llt().matrixL().solve(across);
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
