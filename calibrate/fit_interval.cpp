#include "calibrate/fit_interval.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "calibrate/curve_parts.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

// Of the errors of rows left out, so many are to lie inside. The curve itself learns from what each
// fold left out, and errs less, on a grid, where that has neighbours, more so: on published rows
// kept apart such shares become 80 %. But the search for the parameters of the process has seen
// them, which makes few look too good.
double share_inside(std::size_t rows, Layout layout) {
  const double few = std::min(1.0, 150.0 / static_cast<double>(rows));
  const double many = layout == Layout::kGrid ? 0.74 : 0.775;
  return many + (0.83 - many) * few * few;
}
// Of columns left out, their neighbours are missing with them: what is found so is too wide.
constexpr double kSparser = 0.88;
// Without columns to leave out, or rows that the others enclose, nobody can tell.
constexpr double kUntold = 2;
constexpr std::size_t kFewestTold = 30;

// Rows that were drawn at random count more: the others were picked because little was known near
// them, so that they are further off than those that will be asked for.
std::vector<double> weights_of(const FitRows& rows) {
  constexpr double kDrawn = 3;
  std::vector<double> weights(rows.size(), 1);
  for (const std::size_t i : rows.controls) weights[i] = kDrawn;
  return weights;
}

struct Ratio {
  double value, weight;
};

// The value that `share` of the weight lies below; 0 of none.
double weighted_quantile(std::vector<Ratio> ratios, double share) {
  std::sort(ratios.begin(), ratios.end(), [](auto& a, auto& b) { return a.value < b.value; });
  double all = 0, below = 0;
  for (const Ratio& r : ratios) all += r.weight;
  for (const Ratio& r : ratios)
    if ((below += r.weight) >= share * all) return r.value;
  return 0;
}

// Whether every dim lies within those of the rows outside of the fold: beyond, a call is
// extrapolated, which has a rule of its own.
std::vector<std::size_t> enclosed(const std::vector<const Sample*>& calls,
                                  const std::vector<std::size_t>& fold) {
  const std::set<std::size_t> held(fold.begin(), fold.end());
  Curve others;
  std::vector<const Sample*> rest;
  for (std::size_t i = 0; i < calls.size(); ++i)
    if (!held.contains(i)) rest.push_back(calls[i]);
  if (rest.empty()) return {};
  set_domain(others, rest);
  std::vector<std::size_t> inside;
  for (const std::size_t i : fold) {
    const std::vector<int64_t>& dims = calls[i]->call.dims;
    bool in = true;
    for (std::size_t a = 0; a < dims.size(); ++a)
      in = in && others.dims_low[a] <= dims[a] && dims[a] <= others.dims_high[a];
    if (in) inside.push_back(i);
  }
  return inside;
}

// Of the columns that have rows outside of the fold.
ColumnDistance distance_to_others(const OpSpec& spec, const Columns& columns,
                                  const std::vector<std::size_t>& fold) {
  std::set<std::size_t> held;
  for (const std::size_t i : fold) held.insert(columns.of[i]);
  std::vector<std::vector<int64_t>> others;
  for (std::size_t c = 0; c < columns.all.size(); ++c)
    if (!held.contains(c)) others.push_back(columns.all[c]);
  return {spec, others};
}

}  // namespace

Expected fit_interval(Curve& c, const FitRows& rows, const std::vector<double>& said,
                      Layout layout) {
  constexpr double kLeast = 0.003;  // no latency is known better
  std::vector<double> log_off;
  for (std::size_t i = 0; i < rows.size(); ++i)
    log_off.push_back(std::log(std::abs(said[i] - rows.y[i]) + kLeast));
  const TreeOptions options{.rounds = 100, .levels = 4, .rate = 0.06, .ridge = 20, .bins = 64};
  Expected expected(rows.size(), mean_of(log_off));
  if (rows.size() >= 60) {
    expected = left_out_trees(rows, log_off, options, row_folds(rows.size(), 5));
    c.spread = grow_trees(tree_rows(rows, some_of(rows.size(), rows.size()), log_off), options);
  } else {
    c.spread.start = expected[0];
  }
  for (double& e : expected) e = std::exp(e);
  const std::vector<double> weights = weights_of(rows);
  std::vector<Ratio> ratios;
  for (std::size_t i = 0; i < rows.size(); ++i)
    ratios.push_back({std::abs(said[i] - rows.y[i]) / expected[i], weights[i]});
  c.interval = weighted_quantile(std::move(ratios), share_inside(rows.size(), layout));
  return expected;
}

void fit_away(Curve& c, const FitRows& rows, const std::vector<const Sample*>& calls,
              const Expected& expected, const ColumnsLeftOut& left) {
  const OpSpec& spec = find_operator(c.op);
  const std::vector<double> weights = weights_of(rows);
  std::vector<Ratio> ratios;
  for (const auto& fold : left.folds) {
    const ColumnDistance distance = distance_to_others(spec, left.columns, fold);
    for (const std::size_t i : enclosed(calls, fold)) {
      const double apart = distance.of(left.columns.all[left.columns.of[i]]);
      const double off = std::abs(left.said[i] - rows.y[i]) / expected[i];
      ratios.push_back({off / (Curve::kNextColumn + apart), weights[i]});
    }
  }
  const bool told = ratios.size() >= kFewestTold;
  const double found =
      kSparser * weighted_quantile(std::move(ratios), share_inside(rows.size(), Layout::kGrid));
  c.away = told ? found : kUntold * c.interval;
  for (const auto& column : left.columns.all)
    c.columns.insert(c.columns.end(), column.begin(), column.end());
}

}  // namespace ridge
