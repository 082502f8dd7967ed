#include "calibrate/compact_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "calibrate/curve_json.h"
#include "calibrate/curve_parts.h"
#include "calibrate/delay_model.h"
#include "calibrate/fit_rows.h"
#include "calibrate/in_parallel.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

// Operators that multiply no matrices have few features, and need fewer leaves.
TreeOptions tree_options(std::size_t features) {
  constexpr std::size_t kFew = 15;
  if (features < kFew) return {.rounds = 200, .levels = 6, .rate = 0.15, .feature_share = 1};
  return {.rounds = 400, .levels = 7, .rate = 0.12, .feature_share = 1};
}

constexpr std::size_t kFolds = 3;

// Samples of a curve, and how its process knows them.
struct Rows {
  TreeRows all;                  // features, and log(median / (fixed + ideal))
  std::vector<float> left;       // what the process leaves of that
  std::vector<bool> of_process;  // one of its points: it knows them better than any other call
};

bool is_of(const Curve& c, const Sample& s, Method method) {
  return s.method == method && s.call.op == c.op && s.call.dtype == c.dtype &&
         s.call.implementation == c.implementation && !has_label(s, kSpike);
}

// The process alone, unbounded.
std::vector<double> asked_process(const DelayTable& table, const Curve& curve,
                                  const std::vector<std::size_t>& samples) {
  DelayTable t{.device = table.device, .ceilings = table.ceilings};
  t.method = table.method;
  t.samples = table.samples;
  t.curves = {curve};
  t.curves[0].shares = {1, 0, 0};
  t.curves[0].floor = 0;
  const DelayModel model(t);
  std::vector<DelayModel::Question> questions;
  for (const std::size_t i : samples)
    questions.push_back({&table.samples[i].call, table.samples[i].ideal_s});
  std::vector<double> logs;
  for (const auto& answer : model.delays(questions)) logs.push_back(std::log(answer->seconds));
  return logs;
}

Rows rows_of(const DelayTable& table, const Curve& c, const std::vector<std::size_t>& samples) {
  const PhysicsFeatures features = physics_features(table, c);
  const std::set<std::size_t> points(c.samples.begin(), c.samples.end());
  const std::vector<double> process = asked_process(table, c, samples);
  Rows rows;
  rows.all.features = features.size();
  std::vector<float> x(features.size());
  for (std::size_t row = 0; row < samples.size(); ++row) {
    const Sample& s = table.samples[samples[row]];
    features(s.call, x);
    for (std::size_t j = 0; j < x.size(); ++j)
      rows.all.x.push_back(
          static_cast<float>(std::clamp(static_cast<double>(x[j]), c.low[j], c.high[j])));
    rows.all.y.push_back(static_cast<float>(std::log(s.median_s / (c.fixed_s + s.ideal_s))));
    rows.left.push_back(static_cast<float>(std::log(s.median_s) - process[row]));
    rows.of_process.push_back(points.contains(samples[row]));
  }
  return rows;
}

std::vector<double> answers(const BoostedTrees& trees, const TreeRows& rows,
                            const std::vector<std::size_t>& of) {
  std::vector<double> said;
  std::vector<float> block(rows.features * kBlock);
  float sums[kBlock];
  for (std::size_t first = 0; first < of.size(); first += kBlock) {
    for (std::size_t b = 0; b < kBlock; ++b)
      for (std::size_t j = 0; j < rows.features; ++j)
        block[j * kBlock + b] = rows.x[of[std::min(first + b, of.size() - 1)] * rows.features + j];
    trees.at(block.data(), sums);
    for (std::size_t b = 0; b < std::min(kBlock, of.size() - first); ++b)
      said.push_back(static_cast<double>(sums[b]));
  }
  return said;
}

TreeRows picked(const TreeRows& rows, const std::vector<float>& y,
                const std::vector<std::size_t>& of) {
  TreeRows some{.features = rows.features, .x = {}, .y = {}};
  for (const std::size_t i : of) {
    const auto row = rows.x.begin() + static_cast<std::ptrdiff_t>(i * rows.features);
    some.x.insert(some.x.end(), row, row + static_cast<std::ptrdiff_t>(rows.features));
    some.y.push_back(y[i]);
  }
  return some;
}

// One forest, and what it was off by on rows that it was not grown on.
struct Forest {
  BoostedTrees trees;
  std::vector<double> off;  // log(predicted / measured), as `places`
  double mean_error = 0;
};

std::vector<double> errors_of(const Forest& f) {
  std::vector<double> errors;
  for (const double off : f.off) errors.push_back(std::abs(std::exp(off) - 1));
  return errors;
}

Forest grow(const TreeRows& rows, const std::vector<float>& y,
            const std::vector<std::size_t>& places, const TreeOptions& options) {
  Forest f;
  f.off.resize(places.size());
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<std::size_t> rest, held, at;
    for (std::size_t q = 0; q < places.size(); ++q) {
      (q % kFolds == fold ? held : rest).push_back(places[q]);
      if (q % kFolds == fold) at.push_back(q);
    }
    const std::vector<double> said =
        answers(grow_trees(picked(rows, y, rest), options), rows, held);
    for (std::size_t i = 0; i < at.size(); ++i)
      f.off[at[i]] = said[i] - static_cast<double>(y[held[i]]);
  }
  f.mean_error = mean_of(errors_of(f));
  f.trees = grow_trees(picked(rows, y, places), options);
  return f;
}

// Learns where errors are large, and how wide an interval holds 80 % of them, as fit_curve() does.
void set_interval(Curve& c, const TreeRows& rows, const std::vector<double>& off,
                  const std::vector<std::size_t>& places) {
  constexpr TreeOptions kSpread{.rounds = 100, .levels = 4, .rate = 0.06, .ridge = 20, .bins = 64};
  constexpr double kLeast = 0.003;  // no latency is known better
  constexpr double kShare = 0.78;  // of those left out: the curve itself has learned from them, too
  std::vector<float> log_off(rows.y.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    log_off[places[i]] = static_cast<float>(std::log(std::abs(off[i]) + kLeast));
  const Forest spread = grow(rows, log_off, places, kSpread);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double expected = spread.off[i] + static_cast<double>(log_off[places[i]]);
    ratios.push_back(std::abs(off[i]) / std::exp(expected));
  }
  c.spread = spread.trees;
  c.interval = quantile(ratios, kShare);
}

void compact(const DelayTable& table, Curve& c, const std::vector<std::size_t>& samples) {
  const Rows rows = rows_of(table, c, samples);
  // In an order that does not follow the dims; the process's own points tell nothing of others.
  std::vector<std::size_t> places;
  for (const std::size_t i : some_of(samples.size(), samples.size()))
    if (!rows.of_process[i]) places.push_back(i);
  const TreeOptions options = tree_options(rows.all.features);
  auto left =
      std::async(std::launch::async, [&] { return grow(rows.all, rows.left, places, options); });
  Forest direct = grow(rows.all, rows.all.y, places, options), beyond = left.get();
  const bool alone = direct.mean_error < beyond.mean_error;
  set_errors(c, errors_of(alone ? direct : beyond));
  set_interval(c, rows.all, alone ? direct.off : beyond.off, places);
  c.shares = alone ? std::vector<double>{0, 1, 0} : std::vector<double>{0, 0, 1};
  c.direct = alone ? std::move(direct.trees) : BoostedTrees();
  c.beyond = alone ? BoostedTrees() : std::move(beyond.trees);
}

// Keeps the samples at `kept` and points the curves to them.
void keep(DelayTable& t, const std::set<std::size_t>& kept) {
  std::vector<std::size_t> place(t.samples.size());
  std::vector<Sample> samples;
  for (const std::size_t i : kept) {
    place[i] = samples.size();
    samples.push_back(t.samples[i]);
  }
  renumber_samples(t.curves, place);
  t.samples = std::move(samples);
}

}  // namespace

DelayTable compact_table(const DelayTable& table, std::size_t from) {
  if (table.samples.empty())
    throw BadInput("table of " + table.device.name + ": has no samples to grow small curves on");
  DelayTable t = table;
  std::set<std::size_t> kept;
  for (std::size_t i = 0; i < table.samples.size(); ++i) kept.insert(i);
  for (Curve& c : t.curves) {
    std::vector<std::size_t> samples;
    for (std::size_t i = 0; i < table.samples.size(); ++i)
      if (is_of(c, table.samples[i], table.method)) samples.push_back(i);
    if (c.kind != "blend" || samples.size() < from) continue;
    compact(table, c, samples);
    for (const std::size_t i : samples) kept.erase(i);
    kept.insert(c.samples.begin(), c.samples.end());
    t.notes.push_back(fmt::format("{} {} {}: its curve stands on {} calls, {} of them kept", c.op,
                                  name(c.dtype), c.implementation, samples.size(),
                                  c.samples.size()));
  }
  keep(t, kept);
  t.model = std::make_shared<const DelayModel>(t);
  return t;
}

}  // namespace ridge
