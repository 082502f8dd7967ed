#include "calibrate/fit_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace ridge {
namespace {

// What the smallest call would cost: the launch, or what even the leanest measured call took
// beyond its ideal.
double fixed_cost(const std::vector<const Sample*>& samples, double launch_s) {
  double beyond = INFINITY;
  for (const Sample* s : samples) beyond = std::min(beyond, s->median_s - s->ideal_s);
  return std::max({launch_s, 0.9 * beyond, 1e-9});
}

// Standard error of a median whose samples lie p10 … p90 (2.56 standard deviations) apart.
double median_error(const Sample& s) {
  const double sd = std::log(std::max(s.p90_s, s.median_s) / std::min(s.p10_s, s.median_s)) / 2.563;
  return std::max(1e-3,
                  1.2533 * sd / std::sqrt(static_cast<double>(std::max<std::size_t>(s.count, 1))));
}

}  // namespace

FeatureRange range_of(const std::vector<float>& x, std::size_t features) {
  FeatureRange r;
  const std::size_t rows = features == 0 ? 0 : x.size() / features;
  const auto n = static_cast<double>(rows);
  for (std::size_t j = 0; j < features; ++j) {
    double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
    auto value = [&](std::size_t i) { return static_cast<double>(x[i * features + j]); };
    for (std::size_t i = 0; i < rows; ++i) {
      sum += value(i);
      low = std::min(low, value(i));
      high = std::max(high, value(i));
    }
    for (std::size_t i = 0; i < rows; ++i) squares += (value(i) - sum / n) * (value(i) - sum / n);
    const double sd = std::sqrt(squares / n);
    r.low.push_back(low);
    r.high.push_back(high);
    r.centre.push_back(sum / n);
    r.scale.push_back(sd > 1e-6 ? sd : 1);  // a feature that does not vary is always 0
  }
  return r;
}

FitRows fit_rows(const PhysicsFeatures& features, const std::vector<const Sample*>& samples,
                 double launch_s) {
  FitRows rows{.features = features.size(), .x = {}, .fixed_s = fixed_cost(samples, launch_s)};
  rows.x.resize(samples.size() * rows.features);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& s = *samples[i];
    features(s.call, std::span(rows.x).subspan(i * rows.features, rows.features));
    rows.y.push_back(std::log(s.median_s / (rows.fixed_s + s.ideal_s)));
    rows.doubt.push_back(median_error(s));
  }
  rows.range = range_of(rows.x, rows.features);
  constexpr std::size_t kEnough = 25;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (has_label(*samples[i], kControl)) rows.controls.push_back(i);
  if (rows.controls.size() < kEnough) rows.controls = some_of(samples.size(), samples.size());
  return rows;
}

std::vector<std::size_t> some_of(std::size_t n, std::size_t count) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 rng(1);
  count = std::min(count, n);
  for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + rng() % (n - i)]);
  order.resize(count);
  return order;
}

void evaluate(const FitRows& rows, const std::vector<std::size_t>& of, const BoostedTrees& trees,
              std::vector<double>& answers) {
  std::vector<float> x(rows.features * kBlock);
  for (std::size_t first = 0; first < of.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, of.size() - first);
    for (std::size_t b = 0; b < kBlock; ++b)
      for (std::size_t j = 0; j < rows.features; ++j)
        x[j * kBlock + b] = rows.x[of[first + std::min(b, count - 1)] * rows.features + j];
    float sum[kBlock];
    trees.at(x.data(), sum);
    for (std::size_t b = 0; b < count; ++b) answers[of[first + b]] = static_cast<double>(sum[b]);
  }
}

}  // namespace ridge
