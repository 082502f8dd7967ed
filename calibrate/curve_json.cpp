#include "calibrate/curve_json.h"

#include <nlohmann/json.hpp>

#include "calibrate/delay_model_features.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

// The fields that are plain JSON values, named once for both directions.
template <class C, class F>
void each_field(C& c, F f) {
  f("op", c.op), f("implementation", c.implementation), f("kind", c.kind);
  f("fixed_s", c.fixed_s), f("floor", c.floor), f("samples", c.samples);
  f("dims_low", c.dims_low), f("dims_high", c.dims_high), f("features", c.features);
  f("centre", c.centre), f("scale", c.scale), f("low", c.low), f("high", c.high);
  f("weights", c.weights), f("signal", c.signal), f("linear", c.linear), f("noise", c.noise);
  f("doubt", c.doubt);
  f("log_delay", c.log_delay), f("log_delay_sd", c.log_delay_sd);
  f("cv_median_error", c.cv_median_error), f("cv_p90_error", c.cv_p90_error);
  f("interval", c.interval);
}

}  // namespace

json curve_to_json(const Curve& c) {
  json j = json::object();
  each_field(c, [&](const char* key, const auto& value) { j[key] = value; });
  j["dtype"] = name(c.dtype);
  return j;
}

Curve curve_from_json(const json& j) {
  Curve c;
  each_field(c, [&](const char* key, auto& value) { j.at(key).get_to(value); });
  c.dtype = parse_dtype(j.at("dtype").get<std::string>());
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
  if (c.kind != "gaussian_process") return {};
  if (c.features != feature_names(spec)) return "was learned from other features";
  const std::size_t n = c.features.size();
  const bool sizes = c.centre.size() == n && c.scale.size() == n && c.low.size() == n &&
                     c.high.size() == n && c.weights.size() == n && !c.samples.empty();
  return sizes ? "" : "is incomplete";
}

void renumber_samples(std::vector<Curve>& curves, const std::vector<std::size_t>& place) {
  for (Curve& c : curves)
    for (std::size_t& i : c.samples)
      if (i < place.size()) i = place[i];
}

}  // namespace ridge
