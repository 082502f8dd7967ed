#include "calibrate/holdout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "calibrate/planner.h"
#include "kernels/core/operators.h"
#include "profilers/progress.h"
#include "profilers/sampler.h"

namespace ridge {
namespace {

// Calls of one curve's operator, dtype and implementation that the table was made from, and the
// limits that it was made up to.
struct Domain {
  std::set<std::vector<int64_t>> seen;
  PlanLimits limits{.max_call_s = 0, .max_bytes = 0};
};

Domain domain_of(const DelayTable& table, const Curve& curve) {
  const OpSpec& spec = find_operator(curve.op);
  Domain d;
  for (const Sample& s : table.samples) {
    if (s.call.op != curve.op || s.call.dtype != curve.dtype ||
        s.call.implementation != curve.implementation)
      continue;
    d.seen.insert(s.call.dims);
    d.limits.max_call_s = std::max(d.limits.max_call_s, s.ideal_s);
    d.limits.max_bytes = std::max(d.limits.max_bytes, footprint_bytes(spec, s.call));
  }
  return d;
}

std::vector<Call> unseen_calls(const DelayTable& table, const Curve& curve, int count,
                               std::mt19937_64& rng) {
  const OpSpec& spec = find_operator(curve.op);
  auto [seen, limits] = domain_of(table, curve);
  std::vector<Call> calls;
  for (int tries = 0; tries < 100 * count && static_cast<int>(calls.size()) < count; ++tries) {
    auto call =
        draw_call(spec, {curve.op, curve.dtype, curve.implementation}, table.ceilings, limits, rng);
    if (call && seen.insert(call->dims).second) calls.push_back(std::move(*call));
  }
  return calls;
}

std::vector<std::string> all_axes() {
  std::vector<std::string> names;
  for (const OpSpec& spec : operators())
    for (const Axis& axis : spec.axes)
      if (std::find(names.begin(), names.end(), axis.name) == names.end())
        names.push_back(axis.name);
  return names;
}

std::string csv_line(const Measurement& m, const std::vector<std::string>& axes) {
  const OpSpec& spec = find_operator(m.call.op);
  std::string line = fmt::format("{},{},{}", m.call.op, name(m.call.dtype), m.call.implementation);
  for (const std::string& axis : axes) {
    line += ",";
    for (std::size_t i = 0; i < spec.axes.size(); ++i)
      if (spec.axes[i].name == axis) line += std::to_string(m.call.dims[i]);
  }
  const Summary s = summarize(m.samples_s);
  return line +
         fmt::format(",{:.5g},{:.5g},{:.5g}\n", s.median_s * 1e6, s.p10_s * 1e6, s.p90_s * 1e6);
}

}  // namespace

std::string measure_holdout(Backend& backend, const DelayTable& table,
                            const HoldoutOptions& options) {
  // A seed of its own: the sweep drew its shapes with the plain one.
  std::mt19937_64 rng(options.seed ^ 0x9E3779B97F4A7C15u);
  std::vector<Call> calls;
  for (const Curve& curve : table.curves) {
    const bool asked = options.only.empty() || std::find(options.only.begin(), options.only.end(),
                                                         curve.op) != options.only.end();
    if (!asked) continue;
    for (Call& call : unseen_calls(table, curve, options.shapes, rng))
      calls.push_back(std::move(call));
  }
  std::shuffle(calls.begin(), calls.end(), rng);

  Sampler sampler(backend, table_sampling(backend, options.seed));
  const std::vector<std::string> axes = all_axes();
  std::string csv = "op,dtype,implementation";
  for (const std::string& axis : axes) csv += "," + axis;
  csv += ",latency_us,p10_us,p90_us\n";
  double spent = 0;
  std::vector<std::string> left_out;
  constexpr double kUsual_s = 0.1;  // one shape with its verification, roughly
  Progress progress("holdout", kUsual_s * static_cast<double>(calls.size()));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    progress.update(kUsual_s * static_cast<double>(i), to_string(calls[i]));
    const Measurement m = sampler.measure(calls[i]);
    spent += m.wall_s;
    if (m.status == Status::kOk)
      csv += csv_line(m, axes);
    else
      left_out.push_back(fmt::format("{}: {}", to_string(m.call), m.reason));
  }
  fmt::print(stderr, "{} shapes measured in {:.0f} s\n", calls.size() - left_out.size(), spent);
  for (const std::string& text : left_out) fmt::print(stderr, "left out: {}\n", text);
  return csv;
}

}  // namespace ridge
