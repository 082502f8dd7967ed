#include "calibrate/curve_json.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "calibrate/base64.h"
#include "calibrate/columns.h"
#include "calibrate/physics_features.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

// The fields that are plain JSON values, named once for both directions.
template <class C, class F>
void each_field(C& c, F f) {
  f("op", c.op), f("implementation", c.implementation), f("kind", c.kind);
  f("fixed_s", c.fixed_s), f("floor", c.floor), f("count", c.count);
  f("dims_low", c.dims_low), f("dims_high", c.dims_high), f("features", c.features);
  f("low", c.low), f("high", c.high), f("centre", c.centre), f("scale", c.scale);
  f("samples", c.samples), f("pull", c.pull), f("weights", c.weights), f("trend", c.trend);
  f("signal", c.signal), f("offset", c.offset), f("shares", c.shares);
  f("interval", c.interval), f("nearest", c.nearest);
  f("log_delay", c.log_delay), f("log_delay_sd", c.log_delay_sd);
  f("cv_mean_error", c.cv_mean_error), f("cv_median_error", c.cv_median_error);
  f("cv_p90_error", c.cv_p90_error);
}

template <class C, class F>
void each_forest(C& c, F f) {
  f("direct", c.direct), f("beyond", c.beyond), f("spread", c.spread);
}

// The shortest decimal that reads back as this float.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double d = 0;
  std::from_chars(text, end, d);
  return d;
}

json to_json(const BoostedTrees& t) {
  json thresholds = json::array();
  for (const float v : t.thresholds) thresholds.push_back(shortest(v));
  return {{"levels", t.levels},
          {"start", t.start},
          {"features", t.features},
          {"thresholds", std::move(thresholds)},
          {"leaves", to_base64(t.leaves)}};
}

BoostedTrees trees_from(const json& j) {
  BoostedTrees t;
  j.at("levels").get_to(t.levels);
  j.at("start").get_to(t.start);
  j.at("features").get_to(t.features);
  j.at("thresholds").get_to(t.thresholds);
  t.leaves = from_base64(j.at("leaves").get_ref<const std::string&>());
  return t;
}

bool fits(const BoostedTrees& t, std::size_t features) {
  if (t.levels < 0 || t.levels > 8 || t.features.size() != t.thresholds.size()) return false;
  if (t.levels == 0) return t.features.empty() && t.leaves.empty();
  return t.features.size() % static_cast<std::size_t>(t.levels) == 0 &&
         t.leaves.size() == t.trees() << t.levels &&
         std::all_of(t.features.begin(), t.features.end(), [&](auto f) { return f < features; });
}

}  // namespace

json curve_to_json(const Curve& c) {
  json j = json::object();
  each_field(c, [&](const char* key, const auto& value) { j[key] = value; });
  each_forest(c, [&](const char* key, const auto& trees) { j[key] = to_json(trees); });
  j["dtype"] = name(c.dtype);
  j["away"] = c.away;
  j["columns"] = c.columns;
  return j;
}

Curve curve_from_json(const json& j) {
  Curve c;
  each_field(c, [&](const char* key, auto& value) { j.at(key).get_to(value); });
  each_forest(c, [&](const char* key, auto& trees) { trees = trees_from(j.at(key)); });
  c.dtype = parse_dtype(j.at("dtype").get<std::string>());
  // Tables of before knew nothing of columns.
  c.away = j.value("away", 0.0);
  c.columns = j.value("columns", std::vector<int64_t>());
  return c;
}

std::string why_stale(const Curve& c, const DelayTable& t) {
  const OpSpec& spec = find_operator(c.op);
  for (const std::size_t i : c.samples)
    if (i >= t.samples.size() || t.samples[i].call.op != c.op)
      return "refers to samples that are not there";
  if (!c.dims_low.empty() &&
      (c.dims_low.size() != spec.axes.size() || c.dims_high.size() != spec.axes.size()))
    return "was made for other axes";
  const std::size_t layers = std::max<std::size_t>(layer_axes(spec).size(), 1);
  if (c.columns.size() % layers != 0 || (c.away > 0 && c.columns.empty())) return "is incomplete";
  if (c.kind != "blend") return {};
  if (c.features != physics_features(t, c).names()) return "was learned from other features";
  const std::size_t n = c.features.size();
  const bool sizes = c.centre.size() == n && c.scale.size() == n && c.low.size() == n &&
                     c.high.size() == n && c.weights.size() == n && c.trend.size() == n &&
                     c.shares.size() == 3 && c.samples.size() == c.pull.size();
  const bool whole = sizes && fits(c.direct, n) && fits(c.beyond, n) && fits(c.spread, n);
  return whole ? "" : "is incomplete";
}

void renumber_samples(std::vector<Curve>& curves, const std::vector<std::size_t>& place) {
  for (Curve& c : curves)
    for (std::size_t& i : c.samples)
      if (i < place.size()) i = place[i];
}

}  // namespace ridge
