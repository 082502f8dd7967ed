#include "calibrate/planner.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "calibrate/table.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

constexpr int kCandidates = 1200;  // shapes a group can be measured at
constexpr int kMaxFailures = 8;    // in a group without a single success: it does not run here

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
  // Tables are made from graphs where the device has them.
  const double launch_s =
      launch_seconds(ceilings, device_.kind == "cuda" ? Method::kGraph : Method::kStream);
  for (const Group& group : groups_) {
    const OpSpec& spec = find_operator(group.op);
    std::vector<Call> pool;
    std::set<std::vector<int64_t>> seen;
    for (int i = 0; i < kCandidates; ++i) {
      std::optional<Call> call = draw_call(spec, group, ceilings, limits, rng_);
      if (!call) break;
      if (seen.insert(call->dims).second) pool.push_back(std::move(*call));
    }
    states_.emplace(group, State{.chooser = Chooser(spec, std::move(pool), device_, ceilings,
                                                    launch_s, rng_())});
  }
}

Planner::State* Planner::most_promising() {
  std::vector<State*> seeding;
  State* best = nullptr;
  double most = -1;
  for (auto& [group, state] : states_) {
    if (state.exhausted) continue;
    if (state.chooser.measured() == 0 && state.attempts >= kMaxFailures) continue;
    if (state.attempts < kSeeds) seeding.push_back(&state);
    // The error falls roughly as n^(-1/2), so one more point of cost c lowers it by error/(2n); per
    // second that is error / (2·n·c), and n·c is what the group has cost so far.
    const double gain = state.chooser.error() / (state.cost_s + 1e-3);
    if (gain > most) {
      most = gain;
      best = &state;
    }
  }
  if (seeding.empty()) return best;
  return seeding[std::uniform_int_distribution<std::size_t>(0, seeding.size() - 1)(rng_)];
}

std::optional<Planner::Choice> Planner::next() {
  while (State* state = most_promising()) {
    if (const auto choice = state->chooser.next())
      return Choice{state->chooser.pool()[choice->place], choice->control};
    state->exhausted = true;
  }
  return std::nullopt;
}

void Planner::report(const Measurement& m) {
  const auto it = states_.find({m.call.op, m.call.dtype, m.call.implementation});
  if (it == states_.end() || m.anchor) return;
  State& state = it->second;
  state.attempts += 1;
  state.cost_s += m.wall_s;
  std::optional<Sample> sample;
  if (m.status == Status::kOk) sample = sample_of(ceilings_, device_, m);
  state.chooser.report(m.call, sample, m.wall_s);
}

double Planner::error(const Group& group) const { return states_.at(group).chooser.error(); }

bool Planner::reached(double target) const {
  return std::all_of(states_.begin(), states_.end(), [&](const auto& entry) {
    const State& s = entry.second;
    const bool silent = s.chooser.measured() == 0 && s.attempts >= kMaxFailures;
    return silent || s.exhausted || s.chooser.error() <= target;
  });
}

}  // namespace ridge
