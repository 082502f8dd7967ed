#include "calibrate/fit_curve.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <tuple>

#include "calibrate/curve_parts.h"
#include "calibrate/fit_process.h"
#include "calibrate/in_parallel.h"
#include "calibrate/physics_features.h"

namespace ridge {
namespace {

constexpr std::size_t kFewest = 6;  // below this many points a delay is one constant

struct Blend {
  double process, direct, beyond;
  double of(double gp, double trees, double rest) const {
    return process * gp + direct * trees + beyond * (gp + rest);
  }
};
// Of few points, each of the three errs its own way, so their mean errs least; of many, trees know
// more than a process through a few hundred of them. Another blend must be clearly better.
constexpr Blend kFew{1. / 3, 1. / 3, 1. / 3}, kMany{0, 0.5, 0.5};
constexpr Blend kOthers[] = {kFew, kMany, {0.6, 0.2, 0.2}, {1, 0, 0}, {0, 1, 0}};
constexpr double kClearly = 0.92;
constexpr std::size_t kManyRows = 1500;

TreeOptions tree_options(std::size_t n) {
  if (n < 400) return {.rounds = 200, .levels = 4, .rate = 0.12, .bins = 64};
  if (n < kManyRows) return {.rounds = 500, .levels = 5, .rate = 0.06, .bins = 64};
  return {.rounds = 800, .levels = 8, .rate = 0.08, .feature_share = 1};
}

// What cross-validation says of each point.
struct LeftOut {
  std::vector<double> process, direct, beyond;
};

TreeRows tree_rows(const FitRows& rows, const std::vector<std::size_t>& of,
                   const std::vector<double>& y) {
  TreeRows t{.features = rows.features, .x = {}, .y = {}};
  for (const std::size_t i : of) {
    const auto row = std::span(rows.x).subspan(i * rows.features, rows.features);
    t.x.insert(t.x.end(), row.begin(), row.end());
    t.y.push_back(static_cast<float>(y[i]));
  }
  return t;
}

// What trees grown on the other folds say of each row.
std::vector<double> left_out_trees(const FitRows& rows, const std::vector<double>& y,
                                   const TreeOptions& options, std::size_t folds) {
  const std::vector<std::size_t> order = some_of(rows.size(), rows.size());
  std::vector<double> answers(rows.size());
  in_parallel(folds, [&](std::size_t fold) {
    std::vector<std::size_t> rest, held;
    for (std::size_t q = 0; q < order.size(); ++q)
      (q % folds == fold ? held : rest).push_back(order[q]);
    const BoostedTrees trees = grow_trees(tree_rows(rows, rest, y), options);
    evaluate(rows, held, trees, answers);
  });
  return answers;
}

std::vector<double> relative_errors(const FitRows& rows, const std::vector<double>& said) {
  std::vector<double> errors;
  for (const std::size_t i : rows.controls)
    errors.push_back(std::abs(std::exp(said[i] - rows.y[i]) - 1));
  return errors;
}

std::vector<double> blended(const LeftOut& l, const Blend& b) {
  std::vector<double> said;
  for (std::size_t i = 0; i < l.process.size(); ++i)
    said.push_back(b.of(l.process[i], l.direct[i], l.beyond[i]));
  return said;
}

Blend choose_blend(const LeftOut& l, const FitRows& rows) {
  const auto error = [&](const Blend& b) { return mean_of(relative_errors(rows, blended(l, b))); };
  Blend best = rows.size() < kManyRows ? kFew : kMany;
  double least = kClearly * error(best);
  for (const Blend& other : kOthers)
    if (const double e = error(other); e < least) {
      best = other;
      least = e;
    }
  return best;
}

// Learns where errors are large from the errors of points left out, and how wide an interval holds
// 80 % of them: each fold's from a spread that was learned on the others.
void fit_spread(Curve& c, const FitRows& rows, const std::vector<double>& said) {
  constexpr double kLeast = 0.003;  // no latency is known better
  std::vector<double> off, log_off;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    off.push_back(std::abs(said[i] - rows.y[i]));
    log_off.push_back(std::log(off.back() + kLeast));
  }
  const TreeOptions options{.rounds = 100, .levels = 4, .rate = 0.06, .ridge = 20, .bins = 64};
  std::vector<double> expected(rows.size(), mean_of(log_off));
  if (rows.size() >= 60) {
    expected = left_out_trees(rows, log_off, options, 5);
    c.spread = grow_trees(tree_rows(rows, some_of(rows.size(), rows.size()), log_off), options);
  } else {
    c.spread.start = expected[0];
  }
  std::vector<double> ratios;
  for (const std::size_t i : rows.controls) ratios.push_back(off[i] / std::exp(expected[i]));
  // The curve itself learns from the points that each fold left out, so it errs a little less: 78 %
  // of them inside is 80 % of new ones. But the search for the parameters of the process has seen
  // them, which makes few of them look a little too good.
  const double share = 0.78 + 0.05 * std::min(1.0, 150.0 / static_cast<double>(rows.size()));
  c.interval = quantile(ratios, share);
}

void fit_constant(Curve& c, const std::vector<double>& y) {
  hold_constant(c, y);
  double squares = 0;
  std::vector<double> errors;
  for (std::size_t i = 0; i < y.size(); ++i) {
    squares += (y[i] - c.log_delay) * (y[i] - c.log_delay);
    if (y.size() < 2) continue;
    auto rest = y;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    errors.push_back(std::abs(std::exp(quantile(rest, 0.5) - y[i]) - 1));
  }
  // Few points say little of their spread: at least 20 %, 50 % for one alone.
  const auto n = static_cast<double>(y.size());
  c.log_delay_sd = y.size() < 2 ? 0.5 : std::max(0.2, std::sqrt(squares / (n - 1)));
  set_errors(c, errors);
}

void keep_process(Curve& c, const ProcessFit& g) {
  for (const std::size_t q : g.rows) c.samples.push_back(q);
  c.pull = g.known.pull;
  c.trend = g.known.trend;
  c.offset = g.known.offset;
  c.weights = g.parameters.weights;
  c.signal = g.parameters.signal;
  c.nearest = g.near;
}

void fit_blend(Curve& c, const FitRows& rows) {
  c.kind = "blend";
  c.low = rows.range.low;
  c.high = rows.range.high;
  c.centre = rows.range.centre;
  c.scale = rows.range.scale;
  const ProcessFit g = fit_process(rows, FitEffort::kFull);
  keep_process(c, g);
  LeftOut l{.process = left_out_of_process(rows, g),
            .direct = std::vector<double>(rows.size(), 0),
            .beyond = std::vector<double>(rows.size(), 0)};
  std::vector<double> rest;
  for (std::size_t i = 0; i < rows.size(); ++i) rest.push_back(rows.y[i] - l.process[i]);
  const TreeOptions options = tree_options(rows.size());
  const std::size_t folds = std::min<std::size_t>(rows.size(), rows.size() < 4000 ? 8 : 3);
  l.direct = left_out_trees(rows, rows.y, options, folds);
  l.beyond = left_out_trees(rows, rest, options, folds);
  const Blend best = choose_blend(l, rows);
  c.shares = {best.process, best.direct, best.beyond};
  const std::vector<double> said = blended(l, best);
  set_errors(c, relative_errors(rows, said));
  fit_spread(c, rows, said);
  const std::vector<std::size_t> all = some_of(rows.size(), rows.size());
  in_parallel(2, [&](std::size_t i) {
    if (i == 0 && best.direct > 0) c.direct = grow_trees(tree_rows(rows, all, rows.y), options);
    if (i == 1 && best.beyond > 0) c.beyond = grow_trees(tree_rows(rows, all, rest), options);
  });
}

}  // namespace

Curve fit_curve(const DelayTable& table, const std::vector<std::size_t>& samples) {
  std::vector<const Sample*> fitted;
  for (const std::size_t i : samples) fitted.push_back(&table.samples.at(i));
  Curve c;
  set_domain(c, fitted);
  const PhysicsFeatures features = physics_features(table, c);
  const double launch =
      table.method == Method::kGraph ? table.launch.graph_s : table.launch.stream_s;
  const FitRows rows = fit_rows(features, fitted, launch);
  c.fixed_s = rows.fixed_s;
  if (rows.size() < kFewest) {
    fit_constant(c, rows.y);
  } else {
    c.features = features.names();
    fit_blend(c, rows);
  }
  for (std::size_t& row : c.samples) row = samples[row];
  return c;
}

std::vector<Curve> fit_curves(const DelayTable& table) {
  std::map<std::tuple<std::string, Dtype, std::string>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const Sample& s = table.samples[i];
    if (s.method == table.method && !has_label(s, kSpike))
      groups[{s.call.op, s.call.dtype, s.call.implementation}].push_back(i);
  }
  std::vector<std::vector<std::size_t>> lists;
  for (auto& [key, samples] : groups) lists.push_back(std::move(samples));
  std::vector<Curve> curves(lists.size());
  in_parallel(lists.size(), [&](std::size_t i) { curves[i] = fit_curve(table, lists[i]); });
  return curves;
}

}  // namespace ridge
