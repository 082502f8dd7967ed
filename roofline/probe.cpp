#include "roofline/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "kernels/core/operators.h"

namespace ridge {
namespace {

using Clock = std::chrono::steady_clock;

struct Axes {
  const char* prefix;
  Sweep::Axis x, y;
};

// What the sweeps show, by the first word of their key.
const std::vector<Axes>& axes() {
  static const std::vector<Axes> all{
      {"working_set_unit", {"working set of a unit", "byte"}, {"bandwidth", "byte/s"}},
      {"working_set", {"working set", "byte"}, {"bandwidth", "byte/s"}},
      {"stride", {"stride", "element"}, {"useful bandwidth", "byte/s"}},
      {"gather", {"granule", "byte"}, {"bandwidth", "byte/s"}},
      {"scatter", {"granule", "byte"}, {"bandwidth", "byte/s"}},
      {"latency", {"span", "byte"}, {"latency of a dependent load", "s"}},
      {"tlb", {"span, one load a page", "byte"}, {"latency of a dependent load", "s"}},
      {"mix", {"share of reads", "1"}, {"bandwidth", "byte/s"}},
      {"burst", {"bytes from turn to turn", "byte"}, {"bandwidth", "byte/s"}},
      {"parallelism", {"independent operations of a thread", "1"}, {"rate", "flop/s"}},
      {"staircase", {"dim", "element"}, {"latency", "s"}},
      {"copy_size", {"bytes moved", "byte"}, {"latency", "s"}},
      {"host_copy", {"bytes", "byte"}, {"bandwidth", "byte/s"}},
      {"sustained", {"time", "s"}, {"rate", "flop/s"}},
  };
  return all;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool lower_is_better(const std::string& unit) { return unit == "s"; }

}  // namespace

Prober::Prober(Backend& backend, const SamplerOptions& sampling, OnProgress progress)
    : backend_(backend), sampling_(sampling), progress_(std::move(progress)) {
  ceilings_.device = backend.device().name;
  ceilings_.provenance = backend.device().provenance;
  ceilings_.provenance["units"] = std::to_string(backend.device().units);
  ceilings_.notes = backend.device().notices;
}

Sampler& Prober::sampler(const Probe& probe) {
  auto& one = samplers_[probe.contents];
  if (!one) {
    SamplerOptions options = sampling_;
    options.contents = probe.contents;
    one = std::make_unique<Sampler>(backend_, options);
  }
  one->options().residency = probe.residency;
  return *one;
}

const std::map<double, double>& Prober::points(const std::string& sweep) const {
  static const std::map<double, double> none;
  const auto it = sweeps_.find(sweep);
  return it == sweeps_.end() ? none : it->second;
}

bool Prober::keep(const Probe& probe, const Measurement& m) {
  const Summary s = summarize(m.samples_s);
  const Work work = find_operator(m.call.op).work(m.call);
  Ceiling found{.value = s.median_s / probe.per,
                .unit = "s",
                .method = fmt::format("{}, {}", to_string(m.call), name(m.method)),
                .spread = (s.p90_s - s.p10_s) / s.median_s};
  if (probe.rate == Probe::Rate::kFlops || probe.rate == Probe::Rate::kClock) {
    found.value = work.flops / s.p10_s / probe.per;
    found.unit = probe.rate == Probe::Rate::kClock ? "Hz" : "flop/s";
  } else if (probe.rate == Probe::Rate::kBytes) {
    found.value = (work.bytes_read + work.bytes_written) / s.p10_s;
    found.unit = "byte/s";
  }
  if (const auto clock = m.telemetry.find("sm_clock_hz"); clock != m.telemetry.end())
    found.clock_hz = clock->second;
  const auto better = [&](double a, double b) {
    return lower_is_better(found.unit) ? a < b : a > b;
  };
  bool close = !probe.sweep.empty();
  for (const std::string& key : probe.keys) {
    const auto [it, first] = ceilings_.values.try_emplace(key, found);
    if (!first && better(found.value, it->second.value)) it->second = found;
    close = close || found.value > 0.8 * it->second.value;
  }
  if (!probe.sweep.empty()) {
    const auto [it, first] = sweeps_[probe.sweep].try_emplace(probe.x, found.value);
    if (!first && better(found.value, it->second)) it->second = found.value;
    sweep_methods_.try_emplace(probe.sweep, found.method);
  }
  for (const std::string& label : m.labels)
    if (label.rfind("throttled", 0) == 0)
      if (const std::string note = fmt::format("{}: {} through the run", m.call.op, label);
          std::find(ceilings_.notes.begin(), ceilings_.notes.end(), note) == ceilings_.notes.end())
        ceilings_.notes.push_back(note);
  return close;
}

void Prober::note_failure(const Measurement& m) {
  const std::string note =
      fmt::format("{} {} {}: {}", m.call.op, name(m.call.dtype),
                  m.status == Status::kWrong ? "was wrong" : "was left out", m.reason);
  const auto known = [&](const std::string& n) { return n.rfind(note.substr(0, 40), 0) == 0; };
  if (std::none_of(ceilings_.notes.begin(), ceilings_.notes.end(), known))
    ceilings_.notes.push_back(note + " (" + to_string(m.call) + ")");
}

void Prober::measure(std::vector<Probe> probes, double budget_s) {
  std::erase_if(probes,
                [&](const Probe& p) { return backend_.implementations(p.call, nullptr).empty(); });
  if (probes.empty()) return;
  const double each_s = std::clamp(0.3 * budget_s / static_cast<double>(probes.size()), 0.01, 0.3);
  const auto start = Clock::now();
  std::set<std::size_t> rest;
  for (std::size_t i = 0; i < probes.size(); ++i) rest.insert(rest.end(), i);
  for (bool first = true; !rest.empty() && (first || seconds_since(start) < budget_s);
       first = false) {
    for (auto it = rest.begin(); it != rest.end();) {
      const Probe& p = probes[*it];
      const bool needed =
          std::any_of(p.keys.begin(), p.keys.end(), [&](const auto& key) { return !has(key); });
      // What still lacks its first number is measured even when the time is up.
      if (seconds_since(start) > budget_s && !(first && (needed || !p.sweep.empty()))) {
        ++it;
        continue;
      }
      if (progress_ && whole_s_ > 0)
        progress_(std::min(1.0, (spent_s_ + std::min(seconds_since(start), budget_s)) / whole_s_),
                  p.call.op);
      Sampler& with = sampler(p);
      with.options().time_budget_s = each_s;
      const Measurement m = with.measure(p.call, p.method);
      if (m.status != Status::kOk) note_failure(m);
      const bool close = m.status == Status::kOk && keep(p, m);
      it = close ? std::next(it) : rest.erase(it);
    }
  }
  spent_s_ += budget_s;
}

Measurement Prober::measure_long(const Probe& probe, double seconds) {
  if (progress_ && whole_s_ > 0)
    progress_(std::min(1.0, spent_s_ / whole_s_), probe.call.op + ", sustained");
  Sampler& with = sampler(probe);
  const SamplerOptions before = with.options();
  with.options().time_budget_s = seconds;
  with.options().relative_ci = 0;
  with.options().max_samples = 1 << 20;
  Measurement m = with.measure(probe.call, probe.method);
  with.options() = before;
  if (m.status != Status::kOk) note_failure(m);
  spent_s_ += seconds;
  return m;
}

void Prober::add_point(const std::string& sweep, double x, double y, const std::string& method) {
  sweeps_[sweep][x] = y;
  sweep_methods_.try_emplace(sweep, method);
}

Ceilings Prober::finish() {
  for (const auto& [key, points] : sweeps_) {
    Sweep s{.key = key, .method = sweep_methods_[key], .x = {}, .y = {}, .points = {}};
    for (const Axes& a : axes())
      if (key.rfind(std::string(a.prefix) + ".", 0) == 0 || key == a.prefix) {
        s.x = a.x;
        s.y = a.y;
        break;
      }
    s.points.assign(points.begin(), points.end());
    ceilings_.sweeps.push_back(std::move(s));
  }
  sweeps_.clear();
  return std::move(ceilings_);
}

}  // namespace ridge
