#include "simulator/search/capacity.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.h"

namespace ridge::sim {
namespace {

constexpr double kLeastRate = 1e-3, kMostRate = 1e5;

// The shared step times of a search: the tables are asked once.
class Probe {
 public:
  Probe(const Scenario& s, const CapacityGoal& goal)
      : scenario_(s), goal_(goal), time_(*s.tables, s.deployment) {
    scenario_.limits = goal.limits;
  }

  CapacityPoint at_rate(double rate_per_s) {
    scenario_.workload.arrivals.rate_per_s = rate_per_s;
    CapacityPoint p{.rate_per_s = rate_per_s};
    p.keeps = run(p.summary);
    return p;
  }

  BatchChoice at_sequences(int64_t n) {
    SchedulerConfig& c = scenario_.cluster.replica.scheduler;
    c.max_sequences = n;
    c.token_budget = std::max(c.token_budget, n);
    if (scenario_.cluster.disaggregation) scenario_.cluster.disaggregation->prefill.scheduler = c;
    BatchChoice b{.max_sequences = n};
    b.keeps = run(b.summary);
    return b;
  }

 private:
  bool run(Summary& summary) {
    const Outcome outcome = simulate(scenario_.workload, scenario_.cluster, time_);
    summary = summarize(outcome, scenario_.summary_options());
    return ridge::sim::keeps(outcome, summary, goal_);
  }

  Scenario scenario_;
  CapacityGoal goal_;
  PredictedTime time_;
};

}  // namespace

bool keeps(const Outcome& run, const Summary& r, const CapacityGoal& goal) {
  if (r.load == Load::kSaturated || r.finished == 0) return false;
  std::vector<double> ttft, tpot;
  for (const Record& x : run.records) {
    ttft.push_back(x.finished() ? x.ttft_s() : HUGE_VAL);
    if (x.arrival.output > 1) tpot.push_back(x.finished() ? x.tpot_s() : HUGE_VAL);
  }
  const auto within = [&](std::vector<double>& values, double limit) {
    if (limit <= 0 || values.empty()) return true;
    const double rank = std::ceil(goal.quantile * static_cast<double>(values.size()));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max(1.0, rank)) - 1;
    std::nth_element(values.begin(), at, values.end());
    return *at <= limit;
  };
  return within(ttft, goal.limits.ttft_s) && within(tpot, goal.limits.tpot_s);
}

Capacity find_capacity(const Scenario& s, const CapacityGoal& goal, double precision,
                       const std::function<void(const CapacityPoint&)>& tell) {
  const ArrivalKind kind = s.workload.arrivals.kind;
  if (kind == ArrivalKind::kClosedLoop || kind == ArrivalKind::kTrace)
    throw BadInput("capacity: the workload has no rate to search; use Poisson arrivals");
  if (!goal.limits.any())
    throw BadInput("capacity: give limits.ttft_s or limits.tpot_s (--ttft-limit, --tpot-limit)");
  if (!(goal.quantile > 0 && goal.quantile <= 1) || !(precision > 0))
    throw BadInput("capacity: the quantile must be in (0, 1] and the precision above 0");
  Probe probe(s, goal);
  Capacity c;
  const auto ask = [&](double rate) {
    c.points.push_back(probe.at_rate(rate));
    if (tell) tell(c.points.back());
    return c.points.back().keeps;
  };
  double rate = s.workload.arrivals.rate_per_s, bad = 0;
  const bool first = ask(rate);
  // Out to a rate that answers otherwise.
  while (first ? bad == 0 && rate < kMostRate : c.rate_per_s == 0 && rate > kLeastRate) {
    if (first) c.rate_per_s = rate;
    if (!first) bad = rate;
    rate *= first ? 2 : 0.5;
    if (ask(rate) == first) continue;
    (first ? bad : c.rate_per_s) = rate;
  }
  if (c.rate_per_s == 0 || bad == 0) return c;
  while (bad > c.rate_per_s * (1 + precision)) {
    const double middle = std::sqrt(bad * c.rate_per_s);
    (ask(middle) ? c.rate_per_s : bad) = middle;
  }
  return c;
}

BestBatch find_batch(const Scenario& s, const CapacityGoal& goal, int64_t most) {
  if (most < 1) throw BadInput("find-batch: the largest batch must be at least 1");
  Probe probe(s, goal);
  BestBatch best;
  double tokens = 0;
  for (int64_t n = 1; n <= most; n *= 2) {
    best.choices.push_back(probe.at_sequences(n));
    const BatchChoice& b = best.choices.back();
    if (!b.keeps || b.summary.output_tokens_per_s <= tokens) continue;
    tokens = b.summary.output_tokens_per_s;
    best.max_sequences = n;
  }
  return best;
}

}  // namespace ridge::sim
