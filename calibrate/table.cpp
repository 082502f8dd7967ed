#include "calibrate/table.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "calibrate/delay_model.h"
#include "calibrate/fit_curve.h"
#include "calibrate/sample_json.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

LaunchCost launch_cost(const Ceilings& c) {
  auto seconds = [&](const char* key) {
    const auto it = c.values.find(key);
    return it == c.values.end() ? 0.0 : it->second.value;
  };
  return {.stream_s = seconds("launch.stream"), .graph_s = seconds("launch.graph")};
}

// The method that most of what was measured on this kind of device is timed by.
Method table_method(const std::map<std::pair<Call, Method>, std::vector<const Measurement*>>& all) {
  std::map<Method, std::size_t> count;
  for (const auto& [key, list] : all) ++count[key.second];
  Method best = Method::kStream;
  for (const auto& [method, n] : count)
    if (n > count[best]) best = method;
  return best;
}

Sample make_sample(const Call& call, Method method, const std::vector<const Measurement*>& repeats,
                   const Ideal& best, double launch_s) {
  std::vector<double> times;
  std::set<std::string> labels;
  for (const Measurement* m : repeats) {
    times.insert(times.end(), m->samples_s.begin(), m->samples_s.end());
    labels.insert(m->labels.begin(), m->labels.end());
  }
  const Summary s = summarize(times);
  return as_kept({.call = call,
                  .method = method,
                  .median_s = s.median_s,
                  .p10_s = s.p10_s,
                  .p90_s = s.p90_s,
                  .count = s.count,
                  .ideal_s = best.seconds,
                  .delay_factor = s.median_s / best.seconds,
                  .bound = launch_s > best.seconds ? Bound::kLaunch : best.bound,
                  .labels = {labels.begin(), labels.end()}});
}

// What the calls went over before they came round; infinite where the record does not say.
double rotation_bytes(const std::vector<const Measurement*>& repeats) {
  double most = 0;
  for (const Measurement* m : repeats)
    most = std::max(most, static_cast<double>(m->rotation_bytes));
  return most > 0 ? most : std::numeric_limits<double>::infinity();
}

bool usable(const Measurement& m) {
  return m.status == Status::kOk && !m.samples_s.empty() &&
         std::all_of(m.samples_s.begin(), m.samples_s.end(),
                     [](double s) { return std::isfinite(s) && s > 0; });
}

void add_samples(DelayTable& t, const std::vector<Measurement>& measurements) {
  std::map<std::pair<Call, Method>, std::vector<const Measurement*>> grouped;
  std::set<std::string> runs;
  for (const Measurement& m : measurements) {
    if (!usable(m) || find_operator(m.call.op).probe) continue;
    grouped[{m.call, m.method}].push_back(&m);
    if (!m.run_id.empty()) runs.insert(m.run_id);
  }
  t.run_ids.assign(runs.begin(), runs.end());
  t.method = table_method(grouped);
  std::map<std::string, std::size_t> left_out;
  for (const auto& [key, repeats] : grouped) {
    const auto& [call, method] = key;
    const double launch = method == Method::kGraph ? t.launch.graph_s : t.launch.stream_s;
    try {
      const Ideal best = ideal_of(t.ceilings, find_operator(call.op), call, rotation_bytes(repeats),
                                  t.device.units);
      if (best.seconds > 0) t.samples.push_back(make_sample(call, method, repeats, best, launch));
    } catch (const BadInput& e) {  // a ceiling that was not measured
      ++left_out[call.op + " " + std::string(name(call.dtype)) + ": " + e.what()];
    }
  }
  for (const auto& [why, count] : left_out)
    t.notes.push_back(std::to_string(count) + " measured calls left out: " + why);
}

// The head's dtype: what LLMs are served in, as far as it was measured.
Dtype head_dtype(const DelayTable& t) {
  for (const Dtype d : {Dtype::kF16, Dtype::kBf16, Dtype::kF32})
    for (const Sample& s : t.samples)
      if (s.call.dtype == d) return d;
  return t.samples.front().call.dtype;
}

void add_factors(DelayTable& t) {
  t.factors_dtype = head_dtype(t);
  std::map<std::string, std::size_t> compute;
  for (const Sample& s : t.samples) {
    if (s.method != t.method || s.call.dtype != t.factors_dtype) continue;
    const OpSpec& spec = find_operator(s.call.op);
    const Work work = spec.work(s.call);
    Factor& f = t.factors[spec.table_name];
    f.smallest = f.count == 0 ? s.delay_factor : std::min(f.smallest, s.delay_factor);
    f.largest = std::max(f.largest, s.delay_factor);
    f.average += s.delay_factor;
    f.average_flops_per_s += work.flops / s.median_s;
    f.average_bytes_per_s += (work.bytes_read + work.bytes_written) / s.median_s;
    compute[spec.table_name] += s.bound == Bound::kCompute;
    ++f.count;
  }
  for (auto& [name, f] : t.factors) {
    const auto n = static_cast<double>(f.count);
    f.average /= n;
    f.average_flops_per_s /= n;
    f.average_bytes_per_s /= n;
    f.bound = 2 * compute[name] > f.count ? Bound::kCompute : Bound::kDram;
  }
}

}  // namespace

bool has_label(const Sample& s, std::string_view label) {
  return std::find(s.labels.begin(), s.labels.end(), label) != s.labels.end();
}

bool is_host_timed(const DelayTable& table) {
  const auto timing = table.provenance.find("timing");
  return timing != table.provenance.end() && timing->second == kHostTiming;
}

std::optional<Sample> sample_of(const Ceilings& ceilings, const DeviceInfo& device,
                                const Measurement& m) {
  if (!usable(m)) return {};
  try {
    const Ideal best =
        ideal_of(ceilings, find_operator(m.call.op), m.call, rotation_bytes({&m}), device.units);
    if (best.seconds > 0)
      return make_sample(m.call, m.method, {&m}, best, launch_seconds(ceilings, m.method));
  } catch (const BadInput&) {  // a ceiling that was not measured
  }
  return {};
}

DelayTable make_table(const DeviceInfo& device, const Ceilings& ceilings,
                      const std::vector<Measurement>& measurements,
                      const std::map<std::string, std::string>& provenance) {
  DelayTable t{.device = device, .ceilings = ceilings, .launch = launch_cost(ceilings)};
  t.provenance = provenance;
  add_samples(t, measurements);
  sort_samples(t);
  if (t.samples.empty())
    throw BadInput("table of " + device.name +
                   ": no measurement with status ok has its ceilings measured; measure some calls "
                   "and their ceilings first" +
                   (t.notes.empty() ? "" : " (" + t.notes[0] + ")"));
  add_factors(t);
  t.curves = fit_curves(t);
  t.model = std::make_shared<const DelayModel>(t);
  return t;
}

}  // namespace ridge
