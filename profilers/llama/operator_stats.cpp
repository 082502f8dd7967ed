#include "profilers/llama/operator_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

struct Bounded {
  OperatorStats stats;
  std::map<Bound, double> ideal_by_bound;
  bool complete = true;  // every call has an ideal time
};

void count(Bounded& b, const OperationTime& o, const std::optional<Ceilings>& ceilings) {
  const Work work = find_operator(o.call.op).work(o.call);
  ++b.stats.calls;
  b.stats.seconds += o.end_s - o.begin_s;
  b.stats.flops += work.flops;
  b.stats.bytes += work.bytes_read + work.bytes_written;
  if (!ceilings) return;
  try {
    const Ideal best = ideal(*ceilings, work);
    b.ideal_by_bound[best.bound] += best.seconds;
  } catch (const BadInput&) {  // a ceiling that was not measured
    b.complete = false;
  }
}

OperatorStats bounded(const Bounded& b) {
  OperatorStats s = b.stats;
  if (b.ideal_by_bound.empty() || !b.complete) return s;
  double sum = 0, largest = -1;
  for (const auto& [bound, seconds] : b.ideal_by_bound) {
    sum += seconds;
    if (seconds <= largest) continue;
    largest = seconds;
    s.bound = bound;
  }
  s.ideal_s = sum;
  return s;
}

// The role says which attention it is.
std::string short_name(const std::string& op) {
  return op.starts_with("attention_") ? "attention" : op;
}

}  // namespace

std::string_view name(PhaseOf phase) { return phase == PhaseOf::kPrefill ? "prefill" : "decode"; }

std::optional<double> OperatorStats::of_ceiling() const {
  if (!ideal_s || !(seconds > 0)) return std::nullopt;
  return *ideal_s / seconds;
}

std::vector<OperatorStats> operator_stats(const GenerationTimes& profile,
                                          const std::optional<Ceilings>& ceilings) {
  std::map<std::tuple<PhaseOf, Role, std::string>, Bounded> all;
  const auto add = [&](PhaseOf phase, const std::vector<StepTime>& steps) {
    for (const StepTime& step : steps)
      for (const OperationTime& o : step.operations) {
        Bounded& b = all[{phase, o.role, o.call.op}];
        b.stats.phase = phase;
        b.stats.role = o.role;
        b.stats.op = o.call.op;
        count(b, o, ceilings);
      }
  };
  add(PhaseOf::kPrefill, profile.prefill);
  add(PhaseOf::kDecode, profile.decode);
  std::vector<OperatorStats> stats;
  for (const auto& [key, b] : all) stats.push_back(bounded(b));
  std::stable_sort(stats.begin(), stats.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return stats;
}

PhaseTotals totals_of(const std::vector<StepTime>& steps) {
  PhaseTotals t;
  for (const StepTime& s : steps) {
    t.seconds += s.seconds;
    ++t.steps;
    for (const OperationTime& o : s.operations) t.launches_s += o.end_s - o.begin_s;
    t.launches += static_cast<int64_t>(s.operations.size());
  }
  return t;
}

std::string stats_text(const std::vector<OperatorStats>& stats, const GenerationTimes& profile) {
  std::string text;
  for (const PhaseOf phase : {PhaseOf::kPrefill, PhaseOf::kDecode}) {
    const PhaseTotals t = totals_of(phase == PhaseOf::kPrefill ? profile.prefill : profile.decode);
    if (t.steps == 0) continue;
    text += fmt::format("{}: {} in {} steps, {} launches take {} of it\n\n", name(phase),
                        time_text(t.seconds), t.steps, t.launches, time_text(t.launches_s));
    text +=
        fmt::format("{:<17} {:<14} {:>5} {:>6} {:>7} {:>7} {:>5} {:>4} {}\n", "role", "operator",
                    "%time", "calls", "mean us", "GFLOP/s", "GB/s", "%top", "bound");
    for (const OperatorStats& s : stats) {
      if (s.phase != phase) continue;
      const auto top = s.of_ceiling();
      text += fmt::format("{:<17} {:<14} {:>5.1f} {:>6} {:>7} {:>7} {:>5} {:>4} {}\n", name(s.role),
                          short_name(s.op), 100 * s.seconds / t.seconds, s.calls,
                          number(s.mean_s() * 1e6), number(s.flops / s.seconds * 1e-9),
                          number(s.bytes / s.seconds * 1e-9),
                          top ? fmt::format("{:.0f}", 100 * *top) : "-", top ? name(s.bound) : "-");
    }
    text += fmt::format("{:<32} {:>5.1f}\n\n", "between launches", 100 * t.gap_s() / t.seconds);
  }
  text +=
      "GB/s counts what an operator must move at least; %top is the time that measured\n"
      "ceilings allow, from DRAM, over its own: above 100 its operands were in a cache.\n";
  return text;
}

std::vector<std::string> findings(const std::vector<OperatorStats>& stats,
                                  const GenerationTimes& profile) {
  std::vector<std::string> found;
  for (const PhaseOf phase : {PhaseOf::kPrefill, PhaseOf::kDecode}) {
    const PhaseTotals t = totals_of(phase == PhaseOf::kPrefill ? profile.prefill : profile.decode);
    if (t.steps == 0 || !(t.seconds > 0)) continue;
    const auto percent = [&](double s) { return 100 * s / t.seconds; };
    const auto& phase_name = name(phase);
    std::vector<const OperatorStats*> own;
    for (const OperatorStats& s : stats)
      if (s.phase == phase) own.push_back(&s);
    for (std::size_t i = 0; i < std::min<std::size_t>(2, own.size()); ++i) {
      const auto top = own[i]->of_ceiling();
      found.push_back(fmt::format(
          "{}: {} ({}) takes {:.0f} %{}", phase_name, name(own[i]->role), own[i]->op,
          percent(own[i]->seconds),
          top ? fmt::format(", at {:.0f} % of its {} ceiling", 100 * *top, name(own[i]->bound))
              : ""));
    }
    double copies = 0, small = 0, rounding = 0;
    const std::set<Role> fusible{Role::kRope, Role::kKvWrite, Role::kActivation, Role::kQkNorm,
                                 Role::kAdd};
    for (const OperatorStats* s : own) {
      if (s->op == "copy" || s->op == "kv_cache_write") copies += s->seconds;
      if (fusible.contains(s->role)) small += s->seconds;
      if (s->op == "quantise_rows" || s->op == "dequantise") rounding += s->seconds;
    }
    found.push_back(
        fmt::format("{}: copies (into the KV cache) take {:.1f} %", phase_name, percent(copies)));
    found.push_back(fmt::format(
        "{}: rope, cache writes and activation take {:.1f} %: what fusing them into their "
        "neighbours could save at most",
        phase_name, percent(small)));
    if (rounding > 0)
      found.push_back(fmt::format("{}: rounding to int8 and scaling back takes {:.1f} %",
                                  phase_name, percent(rounding)));
    found.push_back(fmt::format("{}: {:.1f} % lies between launches, {} each", phase_name,
                                percent(t.gap_s()),
                                time_text(t.gap_s() / static_cast<double>(t.launches))));
  }
  return found;
}

}  // namespace ridge
