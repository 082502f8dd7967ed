#include "calibrate/gaussian_process.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "calibrate/gp_kernel.h"

namespace ridge {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

GpPoints evenly_chosen(const GpPoints& all, std::size_t limit) {
  if (all.y.size() <= limit) return all;
  GpPoints some{.features = all.features, .x = {}, .y = {}, .noise_floor = {}};
  for (std::size_t i = 0; i < limit; ++i) {
    const std::size_t from = i * all.y.size() / limit;
    const auto row = all.x.begin() + static_cast<std::ptrdiff_t>(from * all.features);
    some.x.insert(some.x.end(), row, row + static_cast<std::ptrdiff_t>(all.features));
    some.y.push_back(all.y[from]);
    some.noise_floor.push_back(all.noise_floor[from]);
  }
  return some;
}

// Negative log posterior of the parameters, and its gradient, in the space of their logarithms:
// θ = (log weights…, log signal, log noise, log linear).
class Objective {
 public:
  explicit Objective(const GpPoints& p)
      : n_(static_cast<Eigen::Index>(p.y.size())), d_(static_cast<Eigen::Index>(p.features)) {
    const MatrixXd x = matrix_of(p.x, p.features);
    y_ = Eigen::Map<const VectorXd>(p.y.data(), n_);
    known_ = Eigen::Map<const VectorXd>(p.noise_floor.data(), n_).array().square();
    linear_ = x * x.transpose();
    for (Eigen::Index j = 0; j < d_; ++j) {
      const ArrayXd c = x.col(j).array();
      squares_.push_back((c.replicate(1, n_) - c.transpose().replicate(n_, 1)).square());
    }
    // Length scales of about the spread of the data; a spread of y that is at least 20 %.
    const double spread = std::sqrt((y_.array() - y_.mean()).square().mean());
    const double length = 3 * std::sqrt(static_cast<double>(d_) / 6);
    centre_ = VectorXd::Constant(d_ + 3, -2 * std::log(length));
    centre_(d_) = std::log(std::max(0.2, spread));
    centre_(d_ + 1) = std::log(0.05);
    centre_(d_ + 2) = std::log(0.3);
    width_ = VectorXd::Constant(d_ + 3, 2);
    width_.tail(3).setConstant(1);
  }

  const VectorXd& centre() const { return centre_; }

  double operator()(const VectorXd& theta, VectorXd* gradient) const {
    ArrayXXd r2 = ArrayXXd::Zero(n_, n_);
    for (Eigen::Index j = 0; j < d_; ++j)
      r2 += std::exp(theta(j)) * squares_[static_cast<std::size_t>(j)];
    const ArrayXXd r = (5 * r2 + 1e-12).sqrt();
    const ArrayXXd decay = (-r).exp();
    const double signal2 = std::exp(2 * theta(d_)), noise2 = std::exp(2 * theta(d_ + 1)),
                 linear2 = std::exp(2 * theta(d_ + 2));
    const ArrayXXd smooth = signal2 * (1 + r + r.square() / 3) * decay;
    MatrixXd c = smooth.matrix() + linear2 * linear_;
    c.array() += kConstantVariance;
    c.diagonal().array() += noise2 + known_ + 1e-10;
    const Eigen::LLT<MatrixXd> llt(c);
    const MatrixXd inverse = llt.solve(MatrixXd::Identity(n_, n_));
    const VectorXd alpha = inverse * y_;
    const VectorXd pull = (theta - centre_).cwiseQuotient(width_);
    const double value = 0.5 * y_.dot(alpha) + llt.matrixLLT().diagonal().array().log().sum() +
                         0.5 * pull.squaredNorm();

    const ArrayXXd q = (inverse - alpha * alpha.transpose()).array();
    const ArrayXXd slope = q * (signal2 * (-5.0 / 6)) * (1 + r) * decay;
    gradient->resize(d_ + 3);
    for (Eigen::Index j = 0; j < d_; ++j)
      (*gradient)(j) =
          0.5 * std::exp(theta(j)) * (slope * squares_[static_cast<std::size_t>(j)]).sum();
    (*gradient)(d_) = (q * smooth).sum();
    (*gradient)(d_ + 1) = noise2 * q.matrix().trace();
    (*gradient)(d_ + 2) = linear2 * (q * linear_.array()).sum();
    *gradient += pull.cwiseQuotient(width_);
    return value;
  }

 private:
  Eigen::Index n_, d_;
  VectorXd y_, centre_, width_;
  ArrayXd known_;
  MatrixXd linear_;
  std::vector<ArrayXXd> squares_;
};

// Resilient propagation: step sizes follow the gradient's signs only, so badly scaled parameters do
// no harm (Blum & Riedmiller, Optimization of Gaussian process hyperparameters using Rprop, 2013).
VectorXd minimise(const Objective& objective, int iterations) {
  VectorXd theta = objective.centre(), best = theta, gradient;
  VectorXd step = VectorXd::Constant(theta.size(), 0.2), previous = VectorXd::Zero(theta.size());
  double lowest = INFINITY;
  for (int it = 0; it < iterations && step.maxCoeff() > 2e-3; ++it) {
    const double value = objective(theta, &gradient);
    if (!std::isfinite(value) || !gradient.allFinite()) break;
    if (value < lowest) {
      lowest = value;
      best = theta;
    }
    for (Eigen::Index i = 0; i < theta.size(); ++i) {
      const double turn = gradient(i) * previous(i);
      if (turn > 0) step(i) = std::min(step(i) * 1.2, 1.0);
      if (turn < 0) step(i) *= 0.5;
      previous(i) = turn < 0 ? 0 : gradient(i);
      if (previous(i) != 0) theta(i) -= std::copysign(step(i), previous(i));
      theta(i) = std::clamp(theta(i), objective.centre()(i) - 6, objective.centre()(i) + 6);
    }
  }
  return best;
}

}  // namespace

GpParameters search_parameters(const GpPoints& points, std::size_t search_points) {
  const VectorXd theta = minimise(Objective(evenly_chosen(points, search_points)), 45);
  const auto d = static_cast<Eigen::Index>(points.features);
  GpParameters found;
  for (Eigen::Index j = 0; j < d; ++j) found.weights.push_back(std::exp(theta(j)));
  found.signal = std::exp(theta(d));
  found.noise = std::exp(theta(d + 1));
  found.linear = std::exp(theta(d + 2));
  return found;
}

GpPosterior posterior(const GpPoints& points, const GpParameters& parameters) {
  const auto n = static_cast<Eigen::Index>(points.y.size());
  const MatrixXd x = matrix_of(points.x, points.features);
  const VectorXd y = Eigen::Map<const VectorXd>(points.y.data(), n);
  const double linear2 = parameters.linear * parameters.linear;
  const Eigen::LLT<MatrixXd> llt = observed_covariance(x, points, parameters).llt();
  const MatrixXd inverse = llt.solve(MatrixXd::Identity(n, n));
  const VectorXd pull = inverse * y;
  const VectorXd trend = linear2 * (x.transpose() * pull);

  GpPosterior p{.pull = {pull.begin(), pull.end()},
                .trend = {trend.begin(), trend.end()},
                .offset = kConstantVariance * pull.sum(),
                .left_out = {}};
  for (Eigen::Index i = 0; i < n; ++i) {
    const double precision = inverse(i, i);
    p.left_out.push_back({y(i) - pull(i) / precision, 1 / std::sqrt(precision)});
  }
  return p;
}

GpMean::GpMean(std::span<const double> x, const GpParameters& parameters, const GpPosterior& p)
    : pull_(p.pull.begin(), p.pull.end()),
      trend_(p.trend.begin(), p.trend.end()),
      offset_(static_cast<float>(p.offset)),
      signal2_(static_cast<float>(parameters.signal * parameters.signal)) {
  const std::size_t d = parameters.weights.size();
  // Features that change a squared distance of 1 by less than a thousandth are left out.
  for (std::size_t j = 0; j < d; ++j)
    if (parameters.weights[j] > 1e-5)
      near_.push_back({j, static_cast<float>(std::sqrt(5 * parameters.weights[j]))});
  for (std::size_t i = 0; i < pull_.size(); ++i)
    for (const Feature& f : near_)
      points_.push_back(f.scale * static_cast<float>(x[i * d + f.index]));
}

void GpMean::at(const float* block, float* mean, float* nearest) const {
  using Lane = Eigen::Array<float, kBlock, 1>;
  std::vector<Lane, Eigen::aligned_allocator<Lane>> z;
  for (const Feature& f : near_)
    z.push_back(f.scale * Eigen::Map<const Lane>(block + f.index * kBlock));
  Lane sum = Lane::Constant(offset_);
  for (std::size_t j = 0; j < trend_.size(); ++j)
    sum += trend_[j] * Eigen::Map<const Lane>(block + j * kBlock);
  Lane matern_sum = Lane::Zero(), closest = Lane::Constant(1e30F);
  const float* point = points_.data();
  for (const float pull : pull_) {
    Lane r2 = Lane::Constant(1e-12F);
    for (const Lane& lane : z) r2 += (lane - *point++).square();
    closest = closest.min(r2);
    const Lane r = r2.sqrt();
    matern_sum += pull * (1 + r + r2 / 3) * (-r).exp();
  }
  Eigen::Map<Lane>(mean, kBlock, 1) = sum + signal2_ * matern_sum;
  const Lane r = closest.sqrt();
  Eigen::Map<Lane>(nearest, kBlock, 1) = (1 + r + closest / 3) * (-r).exp();
}

}  // namespace ridge
