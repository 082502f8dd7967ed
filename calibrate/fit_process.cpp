#include "calibrate/fit_process.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "calibrate/curve_parts.h"
#include "calibrate/in_parallel.h"

namespace ridge {
namespace {

constexpr std::size_t kFolds = 8;

// Holds in doubt the points that the others contradict: observations with Student-t noise, of
// which a Gaussian one of its own width for each point is the expectation-maximisation form
// (Lange, Little & Taylor, Robust statistical modeling using the t distribution, 1989). A burst of
// disturbance then moves no curve. Widens `noise_floor` from what is known of each point's noise.
void doubt_outliers(GpPoints& points, const GpParameters& found, int rounds) {
  constexpr double kFreedom = 4;
  const std::vector<double> known = points.noise_floor;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<GpEstimate> left_out = posterior(points, found).left_out;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const double off = (points.y[i] - left_out[i].mean) / left_out[i].sd;
      const double wider = (kFreedom + off * off) / (kFreedom + 1);
      const double variance = known[i] * known[i] + found.noise * found.noise;
      points.noise_floor[i] = std::sqrt(known[i] * known[i] + variance * std::max(0.0, wider - 1));
    }
  }
}

double nearest_other(const FitRows& rows, const ProcessFit& g, std::size_t row) {
  double closest = std::numeric_limits<double>::infinity();
  for (const std::size_t other : g.rows) {
    if (other == row) continue;
    double r2 = 0;
    for (std::size_t j = 0; j < rows.features && r2 < closest; ++j) {
      const double d = rows.z(row, j) - rows.z(other, j);
      r2 += 5 * g.parameters.weights[j] * d * d;
    }
    closest = std::min(closest, r2);
  }
  const double r = std::sqrt(closest);
  return (1 + r + closest / 3) * std::exp(-r);
}

void add_point(GpPoints& p, const FitRows& rows, std::size_t row) {
  p.features = rows.features;
  for (std::size_t j = 0; j < rows.features; ++j) p.x.push_back(rows.z(row, j));
  p.y.push_back(rows.y[row]);
  p.noise_floor.push_back(rows.doubt[row]);
}

void ask(const FitRows& rows, const GpMean& mean, const std::vector<std::size_t>& of,
         std::vector<double>& answers) {
  std::vector<float> z(rows.features * kBlock);
  for (std::size_t first = 0; first < of.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, of.size() - first);
    for (std::size_t b = 0; b < kBlock; ++b)
      for (std::size_t j = 0; j < rows.features; ++j)
        z[j * kBlock + b] = static_cast<float>(rows.z(of[first + std::min(b, count - 1)], j));
    float means[kBlock], nearest[kBlock];
    mean.at(z.data(), means, nearest);
    for (std::size_t b = 0; b < count; ++b) answers[of[first + b]] = static_cast<double>(means[b]);
  }
}

}  // namespace

ProcessFit fit_process(const FitRows& rows, FitEffort effort, std::size_t most) {
  ProcessFit g;
  g.rows = some_of(rows.size(), most);
  for (const std::size_t i : g.rows) add_point(g.points, rows, i);
  const bool full = effort == FitEffort::kFull;
  g.parameters = search_parameters(g.points, full ? 160 : 96);
  doubt_outliers(g.points, g.parameters, full ? 3 : 1);
  if (full) g.parameters = search_parameters(g.points);
  g.known = posterior(g.points, g.parameters);
  std::vector<double> near;
  for (const std::size_t i : some_of(rows.size(), 200)) near.push_back(nearest_other(rows, g, i));
  g.near = quantile(near, 0.1);
  return g;
}

Folds point_folds(const ProcessFit& fit) {
  return dealt(fit.rows, std::min(kFolds, fit.rows.size()));
}

std::vector<double> left_out_of_process(const FitRows& rows, const ProcessFit& fit,
                                        const Folds& folds) {
  std::vector<double> answers(rows.size());
  const GpMean whole(fit.points.x, fit.parameters, fit.known);
  ask(rows, whole, some_of(rows.size(), rows.size()), answers);
  // The others alone decide whom of themselves to doubt: a point that was doubted for being far off
  // would make the error of its fold look smaller than that of a new one.
  in_parallel(folds.size(), [&](std::size_t f) {
    const std::set<std::size_t> held(folds[f].begin(), folds[f].end());
    GpPoints rest;
    for (const std::size_t point : fit.rows)
      if (!held.contains(point)) add_point(rest, rows, point);
    if (rest.y.empty()) return;
    doubt_outliers(rest, fit.parameters, 2);
    ask(rows, GpMean(rest.x, fit.parameters, posterior(rest, fit.parameters)), folds[f], answers);
  });
  return answers;
}

}  // namespace ridge
