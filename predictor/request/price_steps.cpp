#include "predictor/request/price_steps.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "kernels/core/operators.h"

namespace ridge {
namespace {

Work work_of(const Kernel& k) { return k.work ? *k.work : find_operator(k.call.op).work(k.call); }

// Parts of sequences count as parts.
int64_t sequences(const Step& step) {
  return std::accumulate(step.begin(), step.end(), int64_t{0},
                         [](int64_t n, const Sequences& s) { return n + s.count; });
}

// What a hand gets when the step's sequences are dealt out to `hands`: of the full hands the one in
// the middle, for sequences often stand in order of length.
Step micro_batch(const Step& step, int64_t hands) {
  const int64_t left_over = sequences(step) % hands;
  const int64_t hand = std::min(hands / 2, (left_over == 0 ? hands : left_over) - 1);
  const auto dealt_to = [&](int64_t first) { return (first + hands - 1 - hand) / hands; };
  Step part;
  int64_t dealt = 0;
  for (const Sequences& s : step) {
    const int64_t count = dealt_to(dealt + s.count) - dealt_to(dealt);
    dealt += s.count;
    if (count == 0) continue;
    part.push_back(s);
    part.back().count = count;
  }
  return part;
}

double host_seconds(const EngineTimes& t, PhaseKind kind, const Step& step, int64_t tensor) {
  const HostCost& h = kind == PhaseKind::kPrefill ? t.prefill : t.decode;
  double cached = 0;
  if (kind == PhaseKind::kDecode)
    for (const Sequences& s : step) cached += static_cast<double>(s.count * s.past);
  return cached * t.per_cached_token_s + h.per_step_s +
         h.per_sequence_s * static_cast<double>(sequences(step)) +
         (tensor > 1 ? t.tensor_step_s : 0);
}

// Bytes of weights that a kernel reads: its work's, less those of its activations.
double weights_read(const Kernel& k, const Work& w) {
  const bool product = k.call.op == "gemm", experts = k.call.op == "moe";
  if (!product && !experts) return 0;
  const OpSpec& spec = find_operator(k.call.op);
  const auto d = [&](const char* axis) { return static_cast<double>(dim(spec, k.call, axis)); };
  constexpr double kWidestElement = 4, kIndex = 8;
  const double activations =
      product ? d("m") * d("k") * kWidestElement
              : d("tokens") * (d("hidden") * kWidestElement + kIndex * d("topk"));
  return std::max(0.0, w.bytes_read - activations);
}

// What a table measured again and again on the same weights may come from a cache. In a model that
// no cache holds they come from DRAM, each time.
void stream_weights(Prediction& p, double bytes, double bytes_per_s) {
  const double least = bytes / bytes_per_s;
  if (p.seconds >= least) return;
  p.seconds = least, p.low_s = std::max(p.low_s, least), p.high_s = std::max(p.high_s, least);
  p.bound = Bound::kDram;
}

double ceiling(const Ceilings& c, const std::string& key) {
  const auto it = c.values.find(key);
  return it == c.values.end() ? 0 : it->second.value;
}

// Sums of what a phase is made of, by role and operator in the order of a pass.
struct RoleSum {
  RoleTime time;
  double up_s = 0, down_s = 0;
  std::map<Bound, double> bound_s;
};

Estimate estimate(const std::map<std::pair<Role, std::string>, RoleSum>& roles, double host_s) {
  double seconds = host_s, up = 0, up2 = 0, down = 0, down2 = 0;
  for (const auto& [key, r] : roles) {
    seconds += r.time.seconds;
    up += r.up_s, up2 += r.up_s * r.up_s;
    down += r.down_s, down2 += r.down_s * r.down_s;
  }
  const auto both = [](double sum, double squares) {
    return std::sqrt(kRoleCorrelation * sum * sum + (1 - kRoleCorrelation) * squares);
  };
  return {seconds, std::max(0.0, seconds - both(down, down2)), seconds + both(up, up2)};
}

}  // namespace

PricedSteps::PricedSteps(const TableSet& tables, const Deployment& d, PhaseKind kind,
                         std::span<const Step> steps)
    : tables_(&tables), deployment_(&d) {
  const EngineTimes& times = d.engine.times_on(tables.device().name);
  std::map<std::tuple<Call, double, double>, std::size_t> seen;
  for (const Step& step : steps) {
    OneStep one;
    const int64_t all = std::max<int64_t>(1, sequences(step));
    const int64_t size = (all + d.parallel.pipeline - 1) / d.parallel.pipeline;
    const int64_t hands = (all + size - 1) / size;
    const Step part = hands > 1 ? micro_batch(step, hands) : step;
    one.micro_batches = static_cast<double>(hands);
    one.of_work = static_cast<double>(new_tokens(step)) / static_cast<double>(new_tokens(part));
    one.host_s = host_seconds(times, kind, step, d.parallel.tensor);
    for (std::vector<Kernel>& stage :
         lower(d.model, d.parallel, d.precision, d.engine.fusion, part)) {
      Stage s;
      for (Kernel& k : stage) {
        const Work w = k.work.value_or(Work{});
        const auto [at, added] =
            seen.try_emplace({k.call, w.flops, w.bytes_read + w.bytes_written}, kernels_.size());
        s.kernels.push_back({at->second, k.count, k.role});
        if (added) kernels_.push_back(std::move(k));
      }
      one.stages.push_back(std::move(s));
    }
    steps_.push_back(std::move(one));
  }
  predictions_ = tables.predict(std::span<const Kernel>(kernels_));
  const double dram = ceiling(tables.ceilings(), "dram.read");
  const auto cache = static_cast<double>(tables.device().last_level_cache_bytes);
  const bool streams =
      dram > 0 && weight_bytes(d.model, d.parallel, d.precision) > kCachesBeyond * cache;
  works_.reserve(kernels_.size());
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    works_.push_back(work_of(kernels_[i]));
    // Who tunes an operator knows better.
    if (streams)
      stream_weights(predictions_[i], weights_read(kernels_[i], works_[i]),
                     dram / tables.fine_tuned(kernels_[i].call.op));
  }
  for (OneStep& s : steps_) {
    for (Stage& stage : s.stages)
      for (const Entry& e : stage.kernels)
        stage.seconds += e.count * predictions_[e.priced].seconds;
    weigh(s, kind);
  }
}

void PricedSteps::weigh(OneStep& s, PhaseKind kind) const {
  const auto slowest =
      std::max_element(s.stages.begin(), s.stages.end(),
                       [](const Stage& a, const Stage& b) { return a.seconds < b.seconds; });
  if (slowest == s.stages.end() || s.micro_batches <= 1) return;
  double all = 0;
  for (const Stage& stage : s.stages) all += stage.seconds;
  if (kind == PhaseKind::kPrefill) {
    slowest->weight += s.micro_batches - 1;
  } else if (s.micro_batches * slowest->seconds > all) {
    for (Stage& stage : s.stages) stage.weight = 0;
    slowest->weight = s.micro_batches;
  }
}

double PricedSteps::seconds(std::size_t step) const {
  const OneStep& s = steps_.at(step);
  double kernels = 0;
  for (const Stage& stage : s.stages) kernels += stage.weight * stage.seconds;
  return kernels + s.host_s;
}

// Of the twin where the GPU has no such pipe; 0 for an unknown one.
double PricedSteps::matrix_peak(Dtype dtype) const {
  const double own = ceiling(tables_->ceilings(), ceiling_name(Pipe::kMatrix, dtype));
  return own > 0 ? own : ceiling(tables_->ceilings(), ceiling_name(Pipe::kMatrix, twin(dtype)));
}

Phase PricedSteps::phase(std::span<const double> weights) const {
  Phase p;
  double at_peak_s = 0;  // of all matrix products on one GPU
  std::map<std::pair<Role, std::string>, RoleSum> roles;
  const auto gpus = static_cast<double>(deployment_->parallel.tensor * deployment_->parallel.data);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (weights[i] == 0) continue;
    const OneStep& s = steps_[i];
    p.host_s += weights[i] * s.host_s;
    for (const Stage& stage : s.stages) {
      for (const Entry& e : stage.kernels) {
        const Prediction& x = predictions_[e.priced];
        const Kernel& k = kernels_[e.priced];
        const Work& w = works_[e.priced];
        const double count = weights[i] * e.count, time = count * stage.weight;
        RoleSum& r = roles[{e.role, k.call.op}];
        r.time.role = e.role, r.time.op = k.call.op;
        r.time.seconds += time * x.seconds;
        r.up_s += time * (x.high_s - x.seconds), r.down_s += time * (x.seconds - x.low_s);
        r.bound_s[x.bound] += time * x.seconds;
        r.time.basis = std::max(r.time.basis, x.basis);
        r.time.flops += count * s.of_work * w.flops;
        r.time.bytes += count * s.micro_batches * (w.bytes_read + w.bytes_written);
        if (const double peak = w.pipe == Pipe::kMatrix ? matrix_peak(w.arithmetic) : 0; peak > 0)
          at_peak_s += count * s.of_work * w.flops / peak;
      }
    }
  }
  p.seconds = estimate(roles, p.host_s);
  for (auto& [key, r] : roles) {
    r.time.bound = std::max_element(r.bound_s.begin(), r.bound_s.end(), [](auto& a, auto& b) {
                     return a.second < b.second;
                   })->first;
    for (const auto& [bound, s] : r.bound_s) p.bound_s[std::string(name(bound))] += s;
    p.flops += r.time.flops * gpus, p.bytes += r.time.bytes * gpus;
    p.roles.push_back(r.time);
  }
  if (p.host_s > 0) p.bound_s["host"] = p.host_s;
  const double all = static_cast<double>(deployment_->parallel.gpus()) * p.seconds.value;
  const double bandwidth = ceiling(tables_->ceilings(), "dram.read");
  if (all > 0) p.mfu = at_peak_s * gpus / all;
  if (all > 0 && bandwidth > 0) p.bandwidth_utilisation = p.bytes / (all * bandwidth);
  return p;
}

}  // namespace ridge
