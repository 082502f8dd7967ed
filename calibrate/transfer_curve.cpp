#include "calibrate/transfer_curve.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <numeric>
#include <span>

#include "calibrate/delay_model.h"
#include "calibrate/fit_rows.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

using Sources = std::vector<const TransferSource*>;

constexpr std::size_t kMostRows = 8000;  // of each source
constexpr std::size_t kFewest = 20;      // below so many samples in all a delay is one constant
// How much the GPUs of another generation count: their kernels are others, so that the same calls
// say little, while how far a call stays behind its ceilings is much alike.
constexpr double kOtherByPhysics = 0.37, kOtherByCall = 0.02;

PhysicsFeatures features_of(const TransferGpu& gpu, const Call& call) {
  return {find_operator(call.op), call.dtype, gpu.ceilings, gpu.device.units,
          static_cast<double>(gpu.device.last_level_cache_bytes)};
}

// Places of the samples to learn from: as many of each source as its weight asks for, so that a
// GPU with more samples does not count more. Those of a short list come repeatedly.
std::vector<std::vector<std::size_t>> drawn(const TransferGpu& to, const Sources& sources,
                                            double other_generation) {
  std::vector<double> weights;
  std::size_t most = 0;
  for (const TransferSource* s : sources) {
    weights.push_back(same_generation(s->gpu, to) ? 1 : other_generation);
    most = std::max(most, std::min(kMostRows, s->samples.size()));
  }
  const double heaviest = *std::max_element(weights.begin(), weights.end());
  std::vector<std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t size = sources[i]->samples.size();
    const auto count = static_cast<std::size_t>(
        std::max(1.0, std::round(static_cast<double>(most) * weights[i] / heaviest)));
    std::vector<std::size_t> order = some_of(size, size);
    for (std::size_t k = order.size(); k < count; ++k) order.push_back(order[k - size]);
    order.resize(count);
    places.push_back(std::move(order));
  }
  return places;
}

void add_row(TreeRows& rows, const std::vector<float>& x, double y) {
  rows.x.insert(rows.x.end(), x.begin(), x.end());
  rows.y.push_back(static_cast<float>(y));
}

// Calls as they stand to the ceilings of the GPU that they were measured on. Times among the
// features become what the clock makes of them on `to`.
TreeRows rows_by_physics(const TransferGpu& to, const Sources& sources) {
  TreeRows rows;
  const auto places = drawn(to, sources, kOtherByPhysics);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const TransferSource& source = *sources[i];
    const PhysicsFeatures features = features_of(source.gpu, source.samples[0].call);
    const double fixed_s = smallest_s(source.samples);
    const auto shift = static_cast<float>(std::log(clock_ratio(source.gpu, to)));
    std::vector<float> x(features.size());
    rows.features = x.size();
    for (const std::size_t place : places[i]) {
      const Sample& s = source.samples[place];
      features(s.call, x);
      for (std::size_t j = 0; j < x.size(); ++j)
        if (features.names()[j].starts_with("log") && features.names()[j].ends_with("_s"))
          x[j] += shift;
      add_row(rows, x, std::log(s.median_s / (fixed_s + s.ideal_s)));
    }
  }
  return rows;
}

double ideal_s(const TransferGpu& gpu, const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  return ideal_of(gpu.ceilings, spec, call, table_working_set(spec, call, gpu.device),
                  gpu.device.units)
      .seconds;
}

// The same calls on `to`, with the times that the law expects there; but what their caches held is
// what those of their own GPU did.
TreeRows rows_by_call(const TransferGpu& to, const Sources& sources, double fixed_to_s) {
  TreeRows rows;
  const Call& any = sources[0]->samples[0].call;
  const TransferLaw law(find_operator(any.op), sources);
  const PhysicsFeatures features = features_of(to, any);
  std::vector<float> x(features.size());
  rows.features = x.size();
  const auto places = drawn(to, sources, kOtherByCall);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const double fixed_s = smallest_s(sources[i]->samples);
    const PhysicsFeatures own = features_of(sources[i]->gpu, any);
    std::vector<float> own_x(own.size());
    for (const std::size_t place : places[i]) {
      const Sample& s = sources[i]->samples[place];
      features(s.call, x);
      own(s.call, own_x);
      for (std::size_t j = 0; j < x.size(); ++j)
        if (features.names()[j].ends_with("/cache")) x[j] = own_x[j];
      add_row(rows, x,
              std::log(law.seconds(*sources[i], s, fixed_s, to) /
                       (fixed_to_s + ideal_s(to, s.call))));
    }
  }
  return rows;
}

double fixed_on(const TransferGpu& to, const Sources& sources) {
  double sum = 0, weights = 0;
  for (const TransferSource* s : sources) {
    const double weight = same_generation(s->gpu, to) ? 1 : kOtherByPhysics;
    sum += weight * std::log(smallest_s(s->samples) * clock_ratio(s->gpu, to));
    weights += weight;
  }
  return std::exp(sum / weights);
}

void set_domain(Curve& c, const Sources& sources) {
  const Call& first = sources[0]->samples[0].call;
  c.op = first.op;
  c.dtype = first.dtype;
  c.implementation = first.implementation;
  c.dims_low = c.dims_high = first.dims;
  for (const TransferSource* source : sources) {
    c.count += source->samples.size();
    for (const Sample& s : source->samples) {
      c.floor = std::min(c.floor, s.delay_factor);
      for (std::size_t a = 0; a < c.dims_low.size(); ++a) {
        c.dims_low[a] = std::min(c.dims_low[a], s.call.dims[a]);
        c.dims_high[a] = std::max(c.dims_high[a], s.call.dims[a]);
      }
    }
  }
}

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

// All but its interval and its errors.
Curve curve_on(const TransferGpu& to, const Sources& sources) {
  Curve c;
  set_domain(c, sources);
  c.fixed_s = fixed_on(to, sources);
  const TreeRows by_physics = rows_by_physics(to, sources);
  if (c.count < kFewest) {
    c.kind = "constant";
    std::vector<double> delays(by_physics.y.begin(), by_physics.y.end());
    c.log_delay = quantile(delays, 0.5);
    c.log_delay_sd = 1;
    return c;
  }
  const TreeRows by_call = rows_by_call(to, sources, c.fixed_s);
  c.kind = "blend";
  c.features = features_of(to, sources[0]->samples[0].call).names();
  set_range(c, by_physics, by_call);
  const TreeOptions options{.rounds = 400, .levels = 6, .bins = 64};
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

double nearest(const TransferGpu& to, const Sources& sources) {
  const Call& call = sources[0]->samples[0].call;
  const std::string pipe = pipe_of(find_operator(call.op), call.dtype);
  double least = INFINITY;
  for (const TransferSource* s : sources) least = std::min(least, distance(s->gpu, to, pipe));
  return least;
}

LeftOut leave_out(const TransferSource& source, const Sources& others) {
  constexpr std::size_t kEnough = 3000;
  DelayTable t{.device = source.gpu.device, .ceilings = source.gpu.ceilings};
  t.curves = {curve_on(source.gpu, others)};
  t.curves[0].interval = 0;
  const DelayModel model(t);
  LeftOut left{.apart = nearest(source.gpu, others)};
  const PhysicsFeatures features = features_of(source.gpu, source.samples[0].call);
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
double doubt(double apart) { return 0.1 + apart; }

void judge(Curve& c, const std::vector<LeftOut>& all, double apart) {
  constexpr double kLeast = 0.003;
  std::vector<double> errors, ratios;
  TreeRows rows;
  for (const LeftOut& left : all) {
    rows.features = left.rows.features;
    rows.x.insert(rows.x.end(), left.rows.x.begin(), left.rows.x.end());
    for (const double off : left.off) {
      errors.push_back(std::abs(std::exp(off) - 1));
      rows.y.push_back(static_cast<float>(std::log(std::abs(off) + kLeast) -
                                          std::log(doubt(left.apart))));
    }
  }
  c.cv_mean_error = std::accumulate(errors.begin(), errors.end(), 0.0) /
                    static_cast<double>(errors.size());
  c.cv_median_error = quantile(errors, 0.5);
  c.cv_p90_error = quantile(errors, 0.9);
  for (const float y : rows.y) ratios.push_back(std::exp(static_cast<double>(y)));
  if (c.kind == "constant") {
    c.interval = std::max(0.2, quantile(ratios, 0.8) * doubt(apart));
    return;
  }
  c.spread = grow_trees(rows, {.rounds = 60, .levels = 4, .rate = 0.06, .ridge = 20, .bins = 64});
  const FitRows seen{.features = rows.features, .x = std::move(rows.x), .y = ratios};
  std::vector<double> expected(seen.size());
  evaluate(seen, some_of(seen.size(), seen.size()), c.spread, expected);
  for (std::size_t i = 0; i < ratios.size(); ++i) ratios[i] /= std::exp(expected[i]);
  c.interval = quantile(ratios, 0.8) * doubt(apart);
}

}  // namespace

Curve transferred_curve(const TransferGpu& to, const std::vector<TransferSource>& sources) {
  Sources all;
  for (const TransferSource& s : sources) all.push_back(&s);
  Curve c = curve_on(to, all);
  c.interval = std::log(kOneSourceFactor);
  c.cv_mean_error = c.cv_median_error = c.cv_p90_error = kOneSourceFactor - 1;
  if (all.size() < 2) return c;
  std::vector<std::future<LeftOut>> running;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Sources others = all;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    running.push_back(std::async(std::launch::async, [&all, i, others = std::move(others)] {
      return leave_out(*all[i], others);
    }));
  }
  std::vector<LeftOut> left;
  for (auto& r : running) left.push_back(r.get());
  judge(c, left, nearest(to, all));
  return c;
}

}  // namespace ridge
