#include "calibrate/fit_curve.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "calibrate/curve_parts.h"
#include "calibrate/fit_interval.h"
#include "calibrate/fit_process.h"
#include "calibrate/in_parallel.h"
#include "calibrate/physics_features.h"
#include "kernels/core/operators.h"

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

// What a blend is fitted to.
struct Fit {
  const std::vector<const Sample*>& samples;
  FitRows rows;
  ProcessFit process;
  std::vector<double> rest;  // what the process leaves of each row
};

std::size_t most_folds(const Fit& f) { return f.rows.size() < 8000 ? 8 : 3; }

// What the models say of rows of which a fold at a time was left out.
LeftOut left_out(const Fit& f, std::vector<double> process, const Folds& folds) {
  const TreeOptions options = tree_options(f.rows.size());
  return {.process = std::move(process),
          .direct = left_out_trees(f.rows, f.rows.y, options, folds),
          .beyond = left_out_trees(f.rows, f.rest, options, folds)};
}

// What is said of scattered rows is said of columns: few have another row.
void fit_intervals(Curve& c, const Fit& f, const Blend& blend, const std::vector<double>& said) {
  const Columns columns = columns_of(find_operator(c.op), f.samples);
  const std::size_t count = columns.all.size();
  const Layout layout = 2 * count > f.rows.size() ? Layout::kScattered : Layout::kGrid;
  const Expected expected = fit_interval(c, f.rows, said, layout);
  if (layout == Layout::kScattered || count < 2) return;
  const Folds folds = column_folds(columns, std::min(count, most_folds(f)));
  const LeftOut l = left_out(f, left_out_of_process(f.rows, f.process, folds), folds);
  fit_away(c, f.rows, f.samples, expected, {columns, folds, blended(l, blend)});
}

void grow_all(Curve& c, const Fit& f) {
  const std::vector<std::size_t> all = some_of(f.rows.size(), f.rows.size());
  const TreeOptions options = tree_options(f.rows.size());
  in_parallel(2, [&](std::size_t i) {
    if (i == 0 && c.shares[1] > 0) c.direct = grow_trees(tree_rows(f.rows, all, f.rows.y), options);
    if (i == 1 && c.shares[2] > 0) c.beyond = grow_trees(tree_rows(f.rows, all, f.rest), options);
  });
}

void fit_blend(Curve& c, Fit f) {
  c.kind = "blend";
  c.low = f.rows.range.low;
  c.high = f.rows.range.high;
  c.centre = f.rows.range.centre;
  c.scale = f.rows.range.scale;
  f.process = fit_process(f.rows, FitEffort::kFull);
  keep_process(c, f.process);
  const std::size_t n = f.rows.size();
  std::vector<double> by_process = left_out_of_process(f.rows, f.process, point_folds(f.process));
  for (std::size_t i = 0; i < n; ++i) f.rest.push_back(f.rows.y[i] - by_process[i]);
  const LeftOut l = left_out(f, std::move(by_process), row_folds(n, std::min(n, most_folds(f))));
  const Blend best = choose_blend(l, f.rows);
  c.shares = {best.process, best.direct, best.beyond};
  const std::vector<double> said = blended(l, best);
  set_errors(c, relative_errors(f.rows, said));
  fit_intervals(c, f, best, said);
  grow_all(c, f);
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
  FitRows rows = fit_rows(features, fitted, launch);
  c.fixed_s = rows.fixed_s;
  if (rows.size() < kFewest) {
    fit_constant(c, rows.y);
  } else {
    c.features = features.names();
    fit_blend(c, {.samples = fitted, .rows = std::move(rows), .process = {}, .rest = {}});
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
