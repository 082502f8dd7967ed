#include "predictor/end_to_end/fit_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "kernels/core/error.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

// Unknowns of the fit, in the order of its columns.
enum Unknown : std::size_t {
  kPrefillStep,
  kPerRequest,
  kDecodeStep,
  kTensorStep,
  kPerSequence,
  kCachedToken,
  kUnknowns
};
using Row = std::array<double, kUnknowns>;

double dot(const Row& a, const Row& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

using Observed = const PredictedRow*;  // a measured row with its kernels' times

struct Equation {
  Row factors;  // of the unknowns, over the measured time
  double rest;  // what they have to explain, over it
};

// Mean over the steps, of all sequences.
double cached_tokens(const Request& r) {
  double tokens = 0;
  for (const Prompt& p : r.prompts)
    tokens += static_cast<double>(p.count) *
              (static_cast<double>(p.tokens) + static_cast<double>(r.output) / 2);
  return tokens;
}

Row prefill_factors(const Observed o) {
  Row f{};
  f[kPrefillStep] = 1;
  f[kPerRequest] = static_cast<double>(o->row.request.batch());
  return f;
}

Row step_factors(const Observed o) {
  Row f{};
  f[kDecodeStep] = 1;
  f[kTensorStep] = o->row.parallel.tensor > 1 ? 1 : 0;
  f[kPerSequence] = static_cast<double>(o->row.request.batch());
  f[kCachedToken] = cached_tokens(o->row.request);
  return f;
}

std::vector<Equation> equations(const std::vector<Observed>& rows, double floor_s) {
  std::vector<Equation> list;
  const auto add = [&](const Row& factors, double kernels_s, double measured_s) {
    Equation e{factors, 1 - kernels_s / measured_s};
    for (double& f : e.factors) f /= measured_s;
    list.push_back(e);
  };
  for (const Observed o : rows) {
    const EndToEndRow& r = o->row;
    const RequestPrediction& p = o->prediction;
    const double step_s = std::max(p.tpot_s.value, floor_s);
    const auto steps = static_cast<double>(r.request.output - 1);
    if (r.ttft_s) add(prefill_factors(o), p.ttft_s.value, *r.ttft_s);
    if (steps > 0 && r.tpot_s) add(step_factors(o), step_s, *r.tpot_s);
    if (!r.total_s) continue;
    Row total = prefill_factors(o);
    const Row step = step_factors(o);
    for (std::size_t k = 0; k < kUnknowns; ++k) total[k] += steps * step[k];
    add(total, p.ttft_s.value + steps * step_s, *r.total_s);
  }
  return list;
}

double mean_error(const std::vector<Equation>& list, const Row& x) {
  double sum = 0;
  for (const Equation& e : list) sum += std::abs(dot(e.factors, x) - e.rest);
  return list.empty() ? 0 : sum / static_cast<double>(list.size());
}

// What holds 80 % of them.
double spread(const std::vector<Equation>& list, const Row& x) {
  std::vector<double> errors;
  for (const Equation& e : list) errors.push_back(std::abs(dot(e.factors, x) - e.rest));
  if (errors.empty()) return 0;
  const auto at = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() * 4 / 5);
  std::nth_element(errors.begin(), at, errors.end());
  return std::min(1.0, *at);
}

// min Σ w (f · x − r)², x ≥ 0: coordinate descent.
Row non_negative_least_squares(const std::vector<Equation>& list,
                               const std::vector<double>& weights, Row x) {
  std::array<Row, kUnknowns> gram{};
  Row right{};
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t k = 0; k < kUnknowns; ++k) {
      const double weighted = weights[i] * list[i].factors[k];
      for (std::size_t l = 0; l < kUnknowns; ++l) gram[k][l] += weighted * list[i].factors[l];
      right[k] += weighted * list[i].rest;
    }
  }
  for (int sweep = 0; sweep < 3000; ++sweep)
    for (std::size_t k = 0; k < kUnknowns; ++k)
      if (gram[k][k] > 0) x[k] = std::max(0.0, x[k] + (right[k] - dot(gram[k], x)) / gram[k][k]);
  return x;
}

Row least_absolute(const std::vector<Equation>& list) {
  Row x{};
  std::vector<double> weights(list.size(), 1.0);
  for (int round = 0; round < 40; ++round) {
    x = non_negative_least_squares(list, weights, x);
    for (std::size_t i = 0; i < list.size(); ++i)
      weights[i] = 1 / std::max(0.005, std::abs(dot(list[i].factors, x) - list[i].rest));
  }
  return x;
}

Row unknowns(const EngineTimes& t) {
  Row x{};
  x[kPrefillStep] = t.prefill.per_step_s, x[kPerRequest] = t.per_request_s;
  x[kDecodeStep] = t.decode.per_step_s, x[kTensorStep] = t.tensor_step_s;
  x[kPerSequence] = t.decode.per_sequence_s;
  x[kCachedToken] = t.per_cached_token_s;
  return x;
}

EngineTimes engine_times(const Row& x, double floor_s) {
  return {.prefill = {.per_step_s = x[kPrefillStep]},
          .decode = {.per_step_s = x[kDecodeStep], .per_sequence_s = x[kPerSequence]},
          .tensor_step_s = x[kTensorStep],
          .per_request_s = x[kPerRequest],
          .decode_floor_s = floor_s,
          .per_cached_token_s = x[kCachedToken]};
}

// Floors worth trying: quantiles of the measured step times.
std::vector<double> floors(const std::vector<Observed>& rows) {
  std::vector<double> steps;
  for (const Observed o : rows)
    if (o->row.tpot_s) steps.push_back(*o->row.tpot_s);
  std::sort(steps.begin(), steps.end());
  std::vector<double> list{0};
  for (double q = 0.05; !steps.empty() && q < 0.8; q += 0.05)
    list.push_back(steps[static_cast<std::size_t>(q * static_cast<double>(steps.size() - 1))]);
  return list;
}

EngineTimes fit(const std::vector<Observed>& rows) {
  constexpr double kClearly = 0.85;  // of the error without a floor
  EngineTimes best;
  double least = INFINITY;
  for (const double floor_s : floors(rows)) {
    const std::vector<Equation> list = equations(rows, floor_s);
    const Row x = least_absolute(list);
    const double error = mean_error(list, x);
    if (error >= least * (floor_s > 0 && best.decode_floor_s == 0 ? kClearly : 1)) continue;
    least = error;
    best = engine_times(x, floor_s);
    best.spread = spread(list, x);
  }
  return best;
}

std::string line_of(const std::vector<std::string>& fields) {
  std::string line = csv_line(fields);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

bool cache_is_full(const EndToEndRow& r) {
  const auto at = r.notes.find("kv_need_over_free");
  return at != r.notes.end() && std::atof(at->second.c_str()) >= kFullCache;
}

}  // namespace

EngineFit fit_engine(const EndToEndCsv& measured, const EngineProfile& base,
                     const std::vector<NamedTable>& tables) {
  EngineFit result{.profile = base};
  EngineProfile& profile = result.profile;
  profile.times = {}, profile.on_gpu.clear(), profile.fitted_on.clear(),
  profile.fitted_rows.clear();
  EndToEndCsv kept{.csv = {}, .rows = {}, .rejected = {}};
  std::set<std::string> frameworks;
  for (const EndToEndRow& r : measured.rows) {
    if (cache_is_full(r)) {
      ++result.left_out;
      continue;
    }
    frameworks.insert(r.framework);
    kept.rows.push_back(r);
  }
  if (frameworks.size() > 1)
    throw BadInput(
        fmt::format("rows of several frameworks ({}): one profile is of one engine; "
                    "name it with --framework",
                    fmt::join(frameworks, ", ")));
  const EndToEndValidation kernels =
      validate_end_to_end(kept, {.engine = {}, .profile = profile, .tables = tables});
  if (kernels.rows.empty())
    throw BadInput(kernels.rejected.empty()
                       ? "no rows to fit to"
                       : "no row can be predicted: " + kernels.rejected.front().reason);
  std::vector<Observed> all;
  std::map<std::string, std::vector<Observed>> by_gpu;
  for (const PredictedRow& r : kernels.rows) {
    all.push_back(&r);
    const auto spec = find_device(r.row.gpu);
    by_gpu[spec ? spec->name : r.row.gpu].push_back(all.back());
  }
  result.rows = all.size();
  profile.times = fit(all);
  double before = 0, after = 0, used = 0;
  for (const auto& [gpu, rows] : by_gpu) {
    if (rows.size() >= kFewestRows) profile.on_gpu[gpu] = fit(rows);
    const EngineTimes& t = profile.times_on(gpu);
    const std::vector<Equation> fitted = equations(rows, t.decode_floor_s);
    const auto n = static_cast<double>(fitted.size());
    before += n * mean_error(equations(rows, 0), Row{});
    after += n * mean_error(fitted, unknowns(t)), used += n;
  }
  result.error_before = before / used, result.error_after = after / used;
  std::set<std::string> sources;
  for (const PredictedRow& r : kernels.rows) sources.insert(r.row.source);
  profile.fitted_on = fmt::format(
      "{} rows{}{}; mean |predicted / measured - 1| {:.1f} % with the kernels alone, {:.1f} % "
      "fitted",
      result.rows, *sources.begin() == "" ? "" : " of ", fmt::join(sources, ", "),
      100 * result.error_before, 100 * result.error_after);
  profile.fitted_rows.push_back(line_of(measured.csv.header));
  std::map<std::size_t, std::size_t> place;  // by line of the file
  for (std::size_t i = 0; i < measured.csv.lines.size(); ++i) place[measured.csv.lines[i]] = i;
  for (const Observed o : all)
    profile.fitted_rows.push_back(line_of(measured.csv.rows[place.at(o->row.line)]));
  return result;
}

}  // namespace ridge
