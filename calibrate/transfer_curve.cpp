#include "calibrate/transfer_curve.h"

#include <algorithm>
#include <cmath>

#include "calibrate/curve_parts.h"
#include "calibrate/delay_model.h"
#include "calibrate/fit_rows.h"
#include "calibrate/in_parallel.h"
#include "calibrate/transfer_rows.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

constexpr std::size_t kFewest = 20;  // below so many samples in all a delay is one constant

void set_range(Curve& c, const TreeRows& a, const TreeRows& b) {
  const std::size_t n = a.features;
  c.low.assign(n, INFINITY);
  c.high.assign(n, -INFINITY);
  for (const TreeRows* rows : {&a, &b})
    for (std::size_t i = 0; i < rows->x.size(); ++i) {
      const auto value = static_cast<double>(rows->x[i]);
      c.low[i % n] = std::min(c.low[i % n], value);
      c.high[i % n] = std::max(c.high[i % n], value);
    }
  // The process has no share, and is asked for nothing.
  c.centre.assign(n, 0);
  c.scale.assign(n, 1);
  c.weights.assign(n, 0);
  c.trend.assign(n, 0);
}

// Small forests, for a table has two for each operator: with twice the trees of twice the leaves,
// transfers to H200 and A100 from all published calls err less by 0.1 to 0.5 % of a call's time.
// Few samples, and few features as of operators that multiply no matrices, need less.
TreeOptions tree_options(const TreeRows& rows) {
  constexpr std::size_t kMany = 3000, kFewFeatures = 15;
  if (rows.y.size() < kMany || rows.features < kFewFeatures)
    return {.rounds = 100, .levels = 5, .rate = 0.2, .feature_share = 0.3, .bins = 64};
  return {.rounds = 200, .levels = 6, .rate = 0.12, .feature_share = 0.3, .bins = 64};
}

// All but its interval and its errors.
Curve curve_on(const TransferGpu& to, const TransferSources& sources) {
  std::vector<const Sample*> samples;
  for (const TransferSource* source : sources)
    for (const Sample& s : source->samples) samples.push_back(&s);
  Curve c;
  set_domain(c, samples);
  c.fixed_s = transferred_fixed_s(to, sources);
  const TreeRows by_physics = rows_by_physics(to, sources);
  if (c.count < kFewest) {
    hold_constant(c, {by_physics.y.begin(), by_physics.y.end()});
    c.log_delay_sd = 1;
    return c;
  }
  const TreeRows by_call = rows_by_call(to, sources, c.fixed_s);
  c.kind = "blend";
  c.features = transfer_features(to, sources[0]->samples[0].call).names();
  set_range(c, by_physics, by_call);
  const TreeOptions options = tree_options(by_physics);
  c.direct = grow_trees(by_physics, options);
  c.beyond = grow_trees(by_call, options);
  c.shares = {0, 0.5, 0.5};
  return c;
}

// A GPU's samples against the curve that the other sources make for it.
struct LeftOut {
  std::vector<double> off;  // log(predicted / measured)
  double apart = 0;         // distance to the nearest of the others
  TreeRows rows;            // features, for a spread to be learned
};

double nearest(const TransferGpu& to, const TransferSources& sources) {
  const Call& call = sources[0]->samples[0].call;
  const std::string pipe = pipe_of(find_operator(call.op), call.dtype);
  double least = INFINITY;
  for (const TransferSource* s : sources) least = std::min(least, distance(s->gpu, to, pipe));
  return least;
}

LeftOut leave_out(const TransferSource& source, const TransferSources& others) {
  constexpr std::size_t kEnough = 3000;
  DelayTable t{.device = source.gpu.device, .ceilings = source.gpu.ceilings};
  t.curves = {curve_on(source.gpu, others)};
  t.curves[0].interval = 0;
  const DelayModel model(t);
  LeftOut left{.apart = nearest(source.gpu, others)};
  const PhysicsFeatures features = transfer_features(source.gpu, source.samples[0].call);
  std::vector<float> x(features.size());
  left.rows.features = x.size();
  for (const std::size_t place : some_of(source.samples.size(), kEnough)) {
    const Sample& s = source.samples[place];
    left.off.push_back(std::log(model.delay(s.call, s.ideal_s)->seconds / s.median_s));
    features(s.call, x);
    add_row(left.rows, x, 0);
  }
  return left;
}

// Errors grow with how unlike the GPUs are, and are not 0 for twins.
double doubt(double apart) { return 0.2 + apart; }

// What a spread is learned from: errors over the doubt that the GPU's distance explains.
TreeRows error_rows(const std::vector<const LeftOut*>& all) {
  constexpr double kLeast = 0.003;
  TreeRows rows;
  for (const LeftOut* left : all) {
    rows.features = left->rows.features;
    rows.x.insert(rows.x.end(), left->rows.x.begin(), left->rows.x.end());
    for (const double off : left->off)
      rows.y.push_back(static_cast<float>(std::log((std::abs(off) + kLeast) / doubt(left->apart))));
  }
  return rows;
}

BoostedTrees grow_spread(const std::vector<const LeftOut*>& all) {
  return grow_trees(error_rows(all),
                    {.rounds = 60, .levels = 4, .rate = 0.06, .ridge = 20, .bins = 64});
}

// Errors over what a spread expects of them.
void add_ratios(const LeftOut& left, const BoostedTrees& spread, std::vector<double>& ratios) {
  TreeRows rows = error_rows({&left});
  FitRows asked{.features = rows.features};
  asked.x = std::move(rows.x);
  asked.y.assign(rows.y.begin(), rows.y.end());
  std::vector<double> expected(asked.size());
  evaluate(asked, some_of(asked.size(), asked.size()), spread, expected);
  for (std::size_t i = 0; i < expected.size(); ++i)
    ratios.push_back(std::exp(asked.y[i] - expected[i]));
}

void set_interval(Curve& c, const std::vector<LeftOut>& all, double apart) {
  std::vector<const LeftOut*> every;
  for (const LeftOut& left : all) every.push_back(&left);
  if (c.kind != "constant") c.spread = grow_spread(every);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < every.size(); ++i) {
    auto others = every;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    add_ratios(all[i], c.kind == "constant" ? BoostedTrees() : grow_spread(others), ratios);
  }
  c.interval = quantile(ratios, 0.8) * doubt(apart);
  if (c.kind == "constant") c.interval = std::max(c.interval, 0.2);  // few points say little
}

void judge(Curve& c, const std::vector<LeftOut>& all) {
  std::vector<double> errors;
  for (const LeftOut& left : all)
    for (const double off : left.off) errors.push_back(std::abs(std::exp(off) - 1));
  set_errors(c, errors);
}

}  // namespace

Curve transferred_curve(const TransferGpu& to, const std::vector<TransferSource>& sources) {
  TransferSources all;
  for (const TransferSource& s : sources) all.push_back(&s);
  Curve c = curve_on(to, all);
  c.interval = std::log(kOneSourceFactor);
  c.cv_mean_error = c.cv_median_error = c.cv_p90_error = kOneSourceFactor - 1;
  if (all.size() < 2) return c;
  std::vector<LeftOut> left(all.size());
  in_parallel(all.size(), [&](std::size_t i) {
    TransferSources others = all;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    left[i] = leave_out(*all[i], others);
  });
  judge(c, left);
  set_interval(c, left, nearest(to, all));
  return c;
}

}  // namespace ridge
