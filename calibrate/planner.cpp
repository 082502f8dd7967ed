#include "calibrate/planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "calibrate/table.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

constexpr int kCandidates = 600;  // shapes a group can be measured at
constexpr int kMaxFailures = 8;   // in a group without a single success: it does not run here

std::vector<double> log_dims(const Call& call) {
  std::vector<double> logs;
  for (int64_t d : call.dims)
    logs.push_back(std::log2(static_cast<double>(std::max<int64_t>(d, 1))));
  return logs;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

int64_t draw_axis(const Axis& axis, std::mt19937_64& rng) {
  std::uniform_real_distribution<double> unit(0, 1);
  if (!axis.usual.empty() && (axis.draw == Draw::kUsual || unit(rng) < 0.5)) {
    std::uniform_int_distribution<std::size_t> pick(0, axis.usual.size() - 1);
    int64_t value = axis.usual[pick(rng)];
    // A tile edge now and then: one less or one more than the round number.
    if (axis.draw == Draw::kLogUniform && unit(rng) < 0.15) value += unit(rng) < 0.5 ? -1 : 1;
    return std::clamp(value, axis.sweep_low, axis.sweep_high);
  }
  const double low = std::log(static_cast<double>(axis.sweep_low));
  const double high = std::log(static_cast<double>(axis.sweep_high));
  const auto value = static_cast<int64_t>(std::llround(std::exp(low + (high - low) * unit(rng))));
  // Widths in use are mostly multiples of 8; a third stays as irregular as it fell.
  const bool round = value >= 64 && unit(rng) < 0.67;
  return std::clamp(round ? (value + 4) / 8 * 8 : value, axis.sweep_low, axis.sweep_high);
}

}  // namespace

std::optional<Call> draw_call(const OpSpec& spec, const Group& group, const Ceilings& ceilings,
                              const PlanLimits& limits, std::mt19937_64& rng) {
  for (int tries = 0; tries < 200; ++tries) {
    Call call{spec.name, {}, group.dtype, group.implementation};
    for (const Axis& axis : spec.axes) call.dims.push_back(draw_axis(axis, rng));
    spec.adjust(call);
    if (!spec.constraint(call).empty()) continue;
    if (ideal(ceilings, spec.work(call)).seconds > limits.max_call_s) continue;
    if (footprint_bytes(spec, call) > limits.max_bytes) continue;
    return call;
  }
  return std::nullopt;
}

Planner::Planner(std::vector<Group> groups, const Ceilings& ceilings, PlanLimits limits,
                 uint64_t seed, DeviceInfo device)
    : groups_(std::move(groups)), ceilings_(ceilings), device_(std::move(device)), rng_(seed) {
  for (const Group& group : groups_) {
    const OpSpec& spec = find_operator(group.op);
    State& state = states_[group];
    std::set<std::vector<int64_t>> seen;
    for (int i = 0; i < kCandidates; ++i) {
      std::optional<Call> call = draw_call(spec, group, ceilings, limits, rng_);
      if (!call) break;
      if (seen.insert(call->dims).second)
        state.candidates.push_back({std::move(*call), {}, std::numeric_limits<double>::infinity()});
    }
    for (Candidate& c : state.candidates) c.where = log_dims(c.call);
  }
}

// The farthest from what is measured, of a few: points then spread out, yet lie as densely as the
// shapes that will be asked for. (The farthest of all would be the corners of the domain.)
std::optional<Call> Planner::take_candidate(State& state) {
  constexpr std::size_t kLooks = 8;
  if (state.candidates.empty()) return std::nullopt;
  std::uniform_int_distribution<std::size_t> any(0, state.candidates.size() - 1);
  std::size_t best = any(rng_);
  for (std::size_t i = 1; i < kLooks; ++i)
    if (const std::size_t other = any(rng_);
        state.candidates[other].nearest > state.candidates[best].nearest)
      best = other;
  Call call = std::move(state.candidates[best].call);
  state.candidates.erase(state.candidates.begin() + static_cast<std::ptrdiff_t>(best));
  return call;
}

// A fit costs as much as a measurement or more: made anew when there is half as much again.
void Planner::refit(State& state) {
  if (state.measured.size() < std::max<std::size_t>(state.refit_at, kSeeds / 2)) return;
  state.error = make_table(device_, ceilings_, state.measured, {}).curves.at(0).cv_median_error;
  state.refit_at = state.measured.size() * 3 / 2;
}

Planner::State* Planner::most_promising() {
  std::vector<State*> seeding;
  State* best = nullptr;
  double most = -1;
  for (auto& [group, state] : states_) {
    if (state.candidates.empty()) continue;
    if (state.measured.empty() && state.attempts >= kMaxFailures) continue;
    if (state.attempts < kSeeds) seeding.push_back(&state);
    // The error falls roughly as n^(-1/2), so one more point of cost c lowers it by error/(2n); per
    // second that is error / (2·n·c), and n·c is what the group has cost so far.
    const double gain = state.error / (state.cost_s + 1e-3);
    if (gain > most) {
      most = gain;
      best = &state;
    }
  }
  if (seeding.empty()) return best;
  return seeding[std::uniform_int_distribution<std::size_t>(0, seeding.size() - 1)(rng_)];
}

std::optional<Call> Planner::next() {
  State* state = most_promising();
  return state ? take_candidate(*state) : std::nullopt;
}

void Planner::report(const Measurement& m) {
  const auto it = states_.find({m.call.op, m.call.dtype, m.call.implementation});
  if (it == states_.end() || m.anchor) return;
  State& state = it->second;
  state.attempts += 1;
  state.cost_s += m.wall_s;
  const std::vector<double> where = log_dims(m.call);
  std::erase_if(state.candidates, [&](const Candidate& c) { return c.call.dims == m.call.dims; });
  for (Candidate& c : state.candidates) c.nearest = std::min(c.nearest, distance(c.where, where));
  if (m.status != Status::kOk) return;
  state.measured.push_back(m);
  refit(state);
}

double Planner::error(const Group& group) const { return states_.at(group).error; }

}  // namespace ridge
