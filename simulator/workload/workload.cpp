#include "simulator/workload/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/error.h"

namespace ridge::sim {
namespace {

bool above_0(double x) { return std::isfinite(x) && x > 0; }

void check_arrivals(const Arrivals& a) {
  const auto fail = [](const std::string& why) { throw BadInput("workload.arrivals: " + why); };
  const bool has_rate = a.kind != ArrivalKind::kClosedLoop && a.kind != ArrivalKind::kTrace;
  if (has_rate && !above_0(a.rate_per_s))
    fail(fmt::format("rate_per_s={} must be above 0, or nothing ever comes", a.rate_per_s));
  if (a.kind == ArrivalKind::kGamma && !(above_0(a.variation) && a.variation <= 100))
    fail(fmt::format("variation={} must be in (0, 100]", a.variation));
  if (a.kind == ArrivalKind::kOnOff && !(above_0(a.on_s) && a.off_s >= 0 && a.off_s < 1e9))
    fail(fmt::format("on_s={} must be above 0 and off_s={} at least 0", a.on_s, a.off_s));
  if (a.kind == ArrivalKind::kClosedLoop && a.concurrency < 1)
    fail(fmt::format("concurrency={} must be at least 1", a.concurrency));
}

void check_trace(const std::vector<Arrival>& trace) {
  if (trace.empty()) throw BadInput("workload.trace: no requests in it");
  double before = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const Arrival& a = trace[i];
    const auto fail = [&](const std::string& why) {
      throw BadInput(fmt::format("workload.trace: request {}: {}", i + 1, why));
    };
    if (!std::isfinite(a.time_s) || a.time_s < 0)
      fail(fmt::format("arrives at {} s; times start at 0", a.time_s));
    if (a.time_s < before)
      fail(fmt::format("arrives at {} s, before the one ahead of it at {} s; sort the trace",
                       a.time_s, before));
    if (a.input < 1 || a.output < 1)
      fail(fmt::format("{} tokens in and {} out; both must be at least 1", a.input, a.output));
    if (a.shared < 0 || a.shared > a.input)
      fail(fmt::format("shares {} tokens of {}", a.shared, a.input));
    before = a.time_s;
  }
}

const WorkloadConfig& checked(const WorkloadConfig& w) {
  check(w);
  return w;
}

}  // namespace

void check(const WorkloadConfig& w) {
  check_arrivals(w.arrivals);
  if (w.arrivals.kind == ArrivalKind::kTrace) return check_trace(w.trace);
  check(w.input, "workload.input");
  check(w.output, "workload.output");
  if (w.requests < 0 || !(w.duration_s >= 0) || !std::isfinite(w.duration_s))
    throw BadInput(fmt::format("workload: requests={} and duration_s={} must not be negative",
                               w.requests, w.duration_s));
  if (w.requests == 0 && w.duration_s == 0)
    throw BadInput("workload: it never ends; set requests or duration_s");
  if (w.sessions.turns < 1 || !(w.sessions.think_s >= 0))
    throw BadInput("workload.sessions: turns must be at least 1 and think_s not negative");
  if (w.shared_prefix < 0 || w.shared_count < 1)
    throw BadInput("workload.shared_prefix: tokens must not be negative, count at least 1");
  if (w.shared_prefix > 0 && w.sessions.turns > 1)
    throw BadInput(
        "workload: shared_prefix with sessions of several turns; a request follows one stream, so "
        "use one of them");
}

Workload::Workload(const WorkloadConfig& w)
    : config_(checked(w)), random_(w.seed), input_(w.input), output_(w.output) {
  streams_ = config_.shared_count;
  if (config_.arrivals.kind == ArrivalKind::kClosedLoop) {
    open_ended_ = true;
    for (int64_t i = 0; i < config_.arrivals.concurrency && may_add(0); ++i)
      pending_.push(fresh(0));
  }
  refill();
}

bool Workload::may_add(double time_s) const {
  return (config_.requests == 0 || made_ < config_.requests) &&
         (config_.duration_s == 0 || time_s <= config_.duration_s);
}

double Workload::gap() {
  const Arrivals& a = config_.arrivals;
  switch (a.kind) {
    case ArrivalKind::kDeterministic:
      return made_ == 0 ? 0 : 1 / a.rate_per_s;
    case ArrivalKind::kGamma: {
      const double shape = 1 / (a.variation * a.variation);
      return random_.gamma(shape) / (shape * a.rate_per_s);
    }
    case ArrivalKind::kOnOff: {
      // In the time that is on the process is Poisson; the rest is put between.
      const double gap_s = random_.exponential(1 / a.rate_per_s), period = a.on_s + a.off_s;
      const double periods = std::floor(clock_ / period);
      const double on = periods * a.on_s + std::min(clock_ - periods * period, a.on_s) + gap_s;
      const double full = std::floor(on / a.on_s);
      return full * period + (on - full * a.on_s) - clock_;
    }
    default:
      return random_.exponential(1 / a.rate_per_s);
  }
}

Arrival Workload::fresh(double time_s) {
  Arrival a{.time_s = time_s, .input = input_.next(random_), .output = output_.next(random_)};
  if (config_.sessions.turns > 1) {
    a.stream = streams_++;
    a.shared = a.input;
    a.extends = true;
  } else if (config_.shared_prefix > 0) {
    a.stream = random_.between(0, config_.shared_count - 1);
    a.shared = config_.shared_prefix;
    a.input += config_.shared_prefix;
  }
  ++made_;
  return a;
}

std::optional<Arrival> Workload::drawn() {
  if (config_.arrivals.kind == ArrivalKind::kTrace) {
    if (traced_ == config_.trace.size()) return std::nullopt;
    const Arrival& a = config_.trace[traced_];
    if (config_.requests > 0 && static_cast<int64_t>(traced_) >= config_.requests)
      return std::nullopt;
    if (config_.duration_s > 0 && a.time_s > config_.duration_s) return std::nullopt;
    ++traced_;
    return a;
  }
  if (config_.requests > 0 && made_ >= config_.requests) return std::nullopt;
  clock_ += gap();
  if (config_.duration_s > 0 && clock_ > config_.duration_s) return std::nullopt;
  return fresh(clock_);
}

void Workload::refill() {
  if (open_ended_) return;
  if (const auto a = drawn())
    pending_.push(*a);
  else
    open_ended_ = true;
}

std::optional<double> Workload::next_time() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.top().time_s;
}

Arrival Workload::pop() {
  const Arrival a = pending_.top();
  pending_.pop();
  // Of the open process one is always pending; those that follow an end are told apart by turn.
  if (a.turn == 0) refill();
  return a;
}

void Workload::finished(const Arrival& a, double time_s) {
  const bool last_turn = a.turn + 1 >= config_.sessions.turns;
  if (config_.arrivals.kind == ArrivalKind::kTrace) return;
  if (!last_turn) {
    const double at = time_s + config_.sessions.think_s;
    if (!may_add(at)) return;
    Arrival next = a;
    next.time_s = at;
    next.input = a.input + a.output + input_.next(random_);
    next.output = output_.next(random_);
    next.shared = next.input;
    next.turn = a.turn + 1;
    ++made_;
    pending_.push(next);
  } else if (config_.arrivals.kind == ArrivalKind::kClosedLoop && may_add(time_s)) {
    pending_.push(fresh(time_s));
  }
}

bool Workload::answers_ends() const {
  return config_.arrivals.kind == ArrivalKind::kClosedLoop ||
         (config_.arrivals.kind != ArrivalKind::kTrace && config_.sessions.turns > 1);
}

}  // namespace ridge::sim
