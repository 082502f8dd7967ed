#include "predictor/tables/table_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

// find_operator() makes its error text as it searches: too slow for every call.
const OpSpec& operator_of(const std::string& op) {
  for (const OpSpec& spec : operators())
    if (spec.name == op) return spec;
  return find_operator(op);
}

bool has_measured_ceilings(const DelayTable& t) {
  return t.launch.graph_s > 0 || t.launch.stream_s > 0 || !t.ceilings.levels.empty();
}

// In the dtype's twin where the GPU has no such pipe (bf16 on a T4).
Call with_pipe(const Ceilings& c, const OpSpec& spec, Call call) {
  const auto knows = [&](Dtype dtype) {
    call.dtype = dtype;
    const Work work = spec.work(call);
    return work.flops <= 0 || c.values.contains(ceiling_name(work.pipe, work.arithmetic));
  };
  const Dtype asked = call.dtype;
  if (!knows(asked) && !knows(twin(asked))) call.dtype = asked;
  return call;
}

// Answers of several curves as one.
class Pool {
 public:
  void add(const Prediction& p) {
    all_.push_back(p);
    mean_ += std::log(p.seconds);
  }
  bool empty() const { return all_.empty(); }

  Prediction answer() const {
    if (all_.size() == 1) return all_[0];
    const auto n = static_cast<double>(all_.size());
    const double mean = mean_ / n;
    double low = 0, high = 0, lowest = 0, highest = 0;  // below and above the mean, logarithms
    Prediction made{.seconds = std::exp(mean), .bound = all_[0].bound, .basis = all_[0].basis};
    for (const Prediction& p : all_) {
      low += std::log(p.seconds / p.low_s) / n;
      high += std::log(p.high_s / p.seconds) / n;
      lowest = std::max(lowest, mean - std::log(p.seconds));
      highest = std::max(highest, std::log(p.seconds) - mean);
      made.basis = std::max(made.basis, p.basis);
    }
    made.low_s = std::exp(mean - std::hypot(low, lowest));
    made.high_s = std::exp(mean + std::hypot(high, highest));
    return made;
  }

 private:
  std::vector<Prediction> all_;
  double mean_ = 0;
};

}  // namespace

TableSet::TableSet(std::vector<NamedTable> tables, std::string framework)
    : tables_(std::move(tables)) {
  if (tables_.empty()) throw BadInput("no delay-factor table given; calibrate, or import one");
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    const DelayTable& table = tables_[t].table;
    if (!same_device(table.device.name, tables_[0].table.device.name))
      throw BadInput(tables_[t].file + ": is a table of " + table.device.name + ", but " +
                     tables_[0].file + " is of " + tables_[0].table.device.name +
                     "; give tables of one device");
    if (!has_measured_ceilings(tables_[ceilings_of_].table) && has_measured_ceilings(table))
      ceilings_of_ = t;
  }
  const DelayTable& first = tables_[ceilings_of_].table;
  launch_s_ = first.method == Method::kGraph ? first.launch.graph_s : first.launch.stream_s;
  if (launch_s_ <= 0) launch_s_ = kUsualLaunch_s;
  routes_ = Routes(tables_, std::move(framework));
}

Prediction TableSet::roofline(const Call& asked) const {
  const OpSpec& spec = operator_of(asked.op);
  validate(spec, asked);
  const Call call = with_pipe(ceilings(), spec, asked);
  const Ideal best =
      ideal_of(ceilings(), spec, call, table_working_set(spec, call, device()), device().units);
  const double least = launch_s_ + best.seconds;
  return {.seconds = least,
          .low_s = least,
          .high_s = least * kUnknownDelay,
          .bound = launch_s_ > best.seconds ? Bound::kLaunch : best.bound,
          .basis = Basis::kRoofline};
}

std::vector<Prediction> TableSet::predict(std::span<const Call> calls) const {
  // A step asks many calls more than once: equal ones follow each other, and the first is asked.
  std::vector<std::size_t> order(calls.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return calls[a] < calls[b]; });
  std::vector<Prediction> made(calls.size());
  std::vector<const Call*> different;
  for (const std::size_t i : order)
    if (different.empty() || *different.back() != calls[i]) different.push_back(&calls[i]);
  const std::vector<Prediction> answers = answer(different);
  std::size_t at = 0;
  for (const std::size_t i : order) {
    if (*different[at] != calls[i]) ++at;
    made[i] = answers[at];
  }
  return made;
}

std::vector<Prediction> TableSet::answer(const std::vector<const Call*>& calls) const {
  // Each table is asked once, for all its calls.
  struct Asked {
    std::vector<Call> calls;
    std::vector<std::size_t> places;
  };
  std::vector<Asked> asked(tables_.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Route route = routes_.of(*calls[i]);
    for (const CurvePlace& c : route.curves) {
      asked[c.table].calls.push_back({calls[i]->op, calls[i]->dims, route.dtype, c.implementation});
      asked[c.table].places.push_back(i);
    }
  }
  std::vector<Pool> pools(calls.size());
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    if (asked[t].calls.empty()) continue;
    std::vector<Prediction> answers = predict_calls(tables_[t].table, asked[t].calls);
    for (std::size_t a = 0; a < answers.size(); ++a) {
      if (is_transferred(tables_[t].table)) answers[a].basis = Basis::kTransferred;
      pools[asked[t].places[a]].add(answers[a]);
    }
  }
  std::vector<Prediction> made;
  made.reserve(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    made.push_back(pools[i].empty() ? roofline(*calls[i]) : pools[i].answer());
    made.back().low_s = std::max(made.back().low_s, made.back().seconds / kWidest);
    made.back().high_s = std::min(made.back().high_s, made.back().seconds * kWidest);
    if (const auto f = factors_.find(calls[i]->op); f != factors_.end())
      for (double Prediction::*s : {&Prediction::seconds, &Prediction::low_s, &Prediction::high_s})
        made.back().*s *= f->second;
  }
  return made;
}

double TableSet::scale_of(const Kernel& kernel) const {
  const OpSpec& spec = operator_of(kernel.call.op);
  const Call call = with_pipe(ceilings(), spec, kernel.call);
  const double working_set = table_working_set(spec, call, device());
  const double own = ideal_of(ceilings(), spec, call, working_set, device().units).seconds;
  return own > 0 ? ideal(ceilings(), *kernel.work, working_set).seconds / own : 1;
}

std::vector<Prediction> TableSet::predict(std::span<const Kernel> kernels) const {
  std::vector<Call> calls;
  calls.reserve(kernels.size());
  for (const Kernel& k : kernels) calls.push_back(k.call);
  std::vector<Prediction> made = predict(calls);
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (!kernels[i].work) continue;
    const double scale = scale_of(kernels[i]);
    for (double* s : {&made[i].seconds, &made[i].low_s, &made[i].high_s})
      *s = std::min(*s, launch_s_) + std::max(0.0, *s - launch_s_) * scale;
  }
  return made;
}

std::string TableSet::answered_by(const Call& call) const {
  const Route route = routes_.of(call);
  std::string text = fmt::format("{} {}: ", call.op, name(call.dtype));
  if (route.curves.empty()) return text + "roofline";
  for (const CurvePlace& c : route.curves) {
    const std::string& who = c.implementation;
    text += (&c == route.curves.data() ? "" : ", ") + (who.empty() ? tables_[c.table].file : who);
  }
  if (route.curves.size() > 1) text += " pooled";
  if (route.dtype != call.dtype) text += fmt::format(", measured in {}", name(route.dtype));
  return text + (route.transferred ? ", transferred" : "");
}

}  // namespace ridge
