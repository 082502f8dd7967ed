#include "calibrate/chooser.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/fit_process.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

constexpr std::size_t kCandidates = 800;  // of a design: it costs the square in memory

}  // namespace

Chooser::Chooser(const OpSpec& spec, std::vector<Call> pool, const DeviceInfo& device,
                 const Ceilings& ceilings, double launch_s, uint64_t seed)
    : features_(spec, pool.empty() ? Dtype::kF32 : pool[0].dtype, ceilings, device.units,
                static_cast<double>(device.last_level_cache_bytes)),
      pool_(std::move(pool)),
      launch_s_(launch_s),
      rng_(seed) {
  x_.resize(pool_.size() * features_.size());
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    features_(pool_[i], std::span(x_).subspan(i * features_.size(), features_.size()));
    ideal_s_.push_back(
        ideal_of(ceilings, spec, pool_[i], std::numeric_limits<double>::infinity(), device.units)
            .seconds);
    place_[pool_[i].dims] = i;
    left_.push_back(i);
  }
  nearest_.assign(pool_.size(), std::numeric_limits<double>::infinity());
  scale_ = range_of(x_, features_.size()).scale;
}

// Points then spread out, yet lie as densely as the pool. (The farthest of all would be the corners
// of the domain.)
std::size_t Chooser::farthest_of_a_few() {
  constexpr std::size_t kLooks = 16;
  std::size_t best = left_[rng_() % left_.size()];
  for (std::size_t i = 1; i < kLooks; ++i)
    if (const std::size_t other = left_[rng_() % left_.size()]; nearest_[other] > nearest_[best])
      best = other;
  return best;
}

bool Chooser::is_left(std::size_t place) const {
  return std::find(left_.begin(), left_.end(), place) != left_.end();
}

// The process through what was measured, its error, and a design over some of what is left.
void Chooser::refit() {
  std::vector<const Sample*> all;
  for (const Sample& s : samples_) all.push_back(&s);
  const FitRows rows = fit_rows(features_, all, launch_s_);
  const ProcessFit fit = fit_process(rows, FitEffort::kQuick);
  const std::vector<double> said = left_out_of_process(rows, fit, point_folds(fit));
  error_ = 0;
  std::vector<double> off;
  for (const std::size_t i : rows.controls)
    error_ +=
        std::abs(std::exp(said[i] - rows.y[i]) - 1) / static_cast<double>(rows.controls.size());
  for (const std::size_t i : fit.rows) off.push_back(std::abs(said[i] - rows.y[i]));
  refit_at_ = samples_.size() * 3 / 2;

  candidates_.clear();
  candidate_cost_.clear();
  std::vector<double> z;
  double mean_s = 0;
  for (const Sample* s : all) mean_s += s->median_s / static_cast<double>(all.size());
  for (const std::size_t q : some_of(left_.size(), kCandidates)) {
    const std::size_t place = left_[q];
    candidates_.push_back(place);
    // A measurement costs about half for what does not depend on the call.
    const double relative = (rows.fixed_s + ideal_s_[place]) / mean_s;
    candidate_cost_.push_back(cost_s_ > 0 ? 0.5 + 0.5 * relative : 1);
    for (std::size_t j = 0; j < rows.features; ++j) {
      const auto v = static_cast<double>(x_[place * rows.features + j]);
      z.push_back(rows.range.standardised(j, v));
    }
  }
  design_.emplace(fit.points, fit.parameters, z, off);
}

std::size_t Chooser::most_telling() {
  std::optional<std::size_t> taken = design_->take(candidate_cost_);
  while (!taken || !is_left(candidates_[*taken])) {
    if (!taken) refit();
    taken = design_->take(candidate_cost_);
  }
  return candidates_[*taken];
}

std::optional<Chooser::Choice> Chooser::next() {
  if (left_.empty()) return {};
  Choice choice{.control = given_++ % kControlEvery == 0};
  if (choice.control)
    choice.place = left_[rng_() % left_.size()];
  else
    choice.place = samples_.size() < kSeeds ? farthest_of_a_few() : most_telling();
  std::erase(left_, choice.place);
  return choice;
}

void Chooser::report(const Call& call, const std::optional<Sample>& measured, double cost_s) {
  cost_s_ += cost_s;
  std::vector<float> x(features_.size());
  features_(call, x);
  if (const auto it = place_.find(call.dims); it != place_.end()) std::erase(left_, it->second);
  if (samples_.size() < kSeeds) note_distances(x);
  if (!measured) return;
  samples_.push_back(*measured);
  if (samples_.size() >= refit_at_) refit();
}

void Chooser::note_distances(const std::vector<float>& x) {
  for (const std::size_t i : left_) {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double d = static_cast<double>(x_[i * x.size() + j] - x[j]) / scale_[j];
      sum += d * d;
    }
    nearest_[i] = std::min(nearest_[i], sum);
  }
}

}  // namespace ridge
