#include "calibrate/delay_model_gp.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace ridge {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kConstantVariance = 10;  // of the mean log delay: exp(±3) is any kernel there is

// Matérn-5/2 of the squared scaled distance.
template <class Derived>
ArrayXXd matern(const Eigen::ArrayBase<Derived>& r2) {
  const ArrayXXd r = (5 * r2 + 1e-12).sqrt();
  return (1 + r + r.square() / 3) * (-r).exp();
}

MatrixXd rows(const GpPoints& p) {
  const auto n = static_cast<Eigen::Index>(p.y.size());
  const auto d = static_cast<Eigen::Index>(p.features);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(p.x.data(), n, d);
}

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
    const MatrixXd x = rows(p);
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

struct GaussianProcess::State {
  MatrixXd x;         // points by features
  VectorXd root;      // square roots of the weights
  MatrixXd scaled;    // features by points, x · root
  MatrixXd inverse;   // of the covariance
  VectorXd alpha;     // inverse · y
  VectorXd slope_x;   // xᵀ · alpha: the linear trend's part of the mean
  MatrixXd linear_x;  // linear² · x
  double alpha_sum = 0;
  double signal2 = 0, noise2 = 0, linear2 = 0;
  std::vector<GpEstimate> left_out;
};

GaussianProcess::GaussianProcess(GpPoints points, GpParameters parameters) {
  auto s = std::make_unique<State>();
  const auto n = static_cast<Eigen::Index>(points.y.size());
  const auto d = static_cast<Eigen::Index>(points.features);
  s->x = rows(points);
  s->root = Eigen::Map<const VectorXd>(parameters.weights.data(), d).cwiseSqrt();
  s->scaled = s->root.asDiagonal() * s->x.transpose();
  s->signal2 = parameters.signal * parameters.signal;
  s->noise2 = parameters.noise * parameters.noise;
  s->linear2 = parameters.linear * parameters.linear;
  s->linear_x = s->linear2 * s->x;
  const VectorXd y = Eigen::Map<const VectorXd>(points.y.data(), n);
  const ArrayXd known = Eigen::Map<const VectorXd>(points.noise_floor.data(), n).array();

  MatrixXd c(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const ArrayXXd r2 = (s->scaled.colwise() - s->scaled.col(i)).colwise().squaredNorm().array();
    c.col(i) = s->signal2 * matern(r2).matrix().transpose();
  }
  c += s->linear_x * s->x.transpose();
  c.array() += kConstantVariance;
  c.diagonal().array() += s->noise2 + known.square() + 1e-10;
  s->inverse = c.llt().solve(MatrixXd::Identity(n, n));
  s->alpha = s->inverse * y;
  s->alpha_sum = s->alpha.sum();
  s->slope_x = s->linear2 * (s->x.transpose() * s->alpha);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double precision = s->inverse(i, i);
    s->left_out.push_back({y(i) - s->alpha(i) / precision, 1 / std::sqrt(precision)});
  }
  state_ = std::move(s);
}

GaussianProcess::~GaussianProcess() = default;
GaussianProcess::GaussianProcess(GaussianProcess&&) noexcept = default;
GaussianProcess& GaussianProcess::operator=(GaussianProcess&&) noexcept = default;

GpEstimate GaussianProcess::at(std::span<const double> x) const {
  const State& s = *state_;
  const VectorXd z = Eigen::Map<const VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
  const VectorXd here = s.root.cwiseProduct(z);
  const ArrayXd r =
      (5 * (s.scaled.colwise() - here).colwise().squaredNorm().array().transpose() + 1e-12).sqrt();
  VectorXd k = (s.signal2 * (1 + r + r.square() / 3) * (-r).exp()).matrix();
  GpEstimate e;
  e.mean = k.dot(s.alpha) + kConstantVariance * s.alpha_sum + s.slope_x.dot(z);
  k.noalias() += s.linear_x * z;
  k.array() += kConstantVariance;
  VectorXd v(k.size());
  v.noalias() = s.inverse.selfadjointView<Eigen::Lower>() * k;
  const double prior = s.signal2 + kConstantVariance + s.linear2 * z.squaredNorm();
  e.sd = std::sqrt(std::max(0.0, prior - k.dot(v)) + s.noise2);
  return e;
}

const std::vector<GpEstimate>& GaussianProcess::leave_one_out() const { return state_->left_out; }

}  // namespace ridge
