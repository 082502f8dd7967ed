#pragma once
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "calibrate/gaussian_process.h"

namespace ridge {

// The prior of the process, for the sources that are built from Eigen: all with one instruction
// set (CMakeLists.txt).

inline constexpr double kConstantVariance = 10;  // of the mean log delay: exp(±3) is any kernel

inline Eigen::MatrixXd matrix_of(const std::vector<double>& x, std::size_t features) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto d = static_cast<Eigen::Index>(features);
  return Eigen::Map<const RowMajor>(x.data(), static_cast<Eigen::Index>(x.size()) / d, d);
}

// Matérn-5/2 between the rows of a and those of b.
inline Eigen::MatrixXd correlation(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b,
                                   const GpParameters& p) {
  const Eigen::VectorXd length =
      Eigen::Map<const Eigen::VectorXd>(p.weights.data(), a.cols()).cwiseSqrt() * std::sqrt(5.0);
  const Eigen::MatrixXd sa = a * length.asDiagonal(), sb = b * length.asDiagonal();
  Eigen::ArrayXXd r2 = (-2 * sa * sb.transpose()).array();
  r2.colwise() += sa.rowwise().squaredNorm().array();
  r2.rowwise() += sb.rowwise().squaredNorm().transpose().array();
  const Eigen::ArrayXXd r = r2.max(1e-12).sqrt();
  return ((1 + r + r.square() / 3) * (-r).exp()).matrix();
}

inline Eigen::MatrixXd covariance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b,
                                  const GpParameters& p) {
  Eigen::MatrixXd c = p.signal * p.signal * correlation(a, b, p);
  c += p.linear * p.linear * a * b.transpose();
  c.array() += kConstantVariance;
  return c;
}

// Of the points' observations: with their noise.
inline Eigen::MatrixXd observed_covariance(const Eigen::MatrixXd& x, const GpPoints& points,
                                           const GpParameters& p) {
  Eigen::MatrixXd c = covariance(x, x, p);
  c.diagonal().array() +=
      p.noise * p.noise +
      Eigen::Map<const Eigen::ArrayXd>(points.noise_floor.data(), x.rows()).square() + 1e-10;
  return c;
}

}  // namespace ridge
