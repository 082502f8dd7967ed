#include <cmath>
#include <nlohmann/json.hpp>

#include "calibrate/sample_json.h"
#include "kernels/core/call_json.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

using nlohmann::json;

// Errors begin with what they are about: ".median_s: …".
double positive(const json& entry, const std::string& key) {
  const auto it = entry.find(key);
  if (it == entry.end() || !it->is_number() || !(it->get<double>() > 0) ||
      !std::isfinite(it->get<double>()))
    throw BadInput("." + key + ": must be a positive number");
  return it->get<double>();
}

// What `parse` makes of a key's text.
template <class F>
auto parsed(const json& entry, const std::string& key, F parse) {
  const auto it = entry.find(key);
  if (it == entry.end() || !it->is_string()) throw BadInput("." + key + ": must be a text");
  try {
    return parse(it->get<std::string>());
  } catch (const BadInput& e) {
    throw BadInput("." + key + ": " + e.what());
  }
}

Call call_of(const json& entry) {
  try {
    return call_from_json(entry.value("call", json()));
  } catch (const BadInput& e) {
    throw BadInput(std::string(".call: ") + e.what());
  }
}

Sample read(const json& entry) {
  if (!entry.is_object()) throw BadInput(": must be an object");
  const double count = positive(entry, "count");
  if (count != std::floor(count)) throw BadInput(".count: must be a whole number");
  Sample s{.call = call_of(entry),
           .method = parsed(entry, "method", parse_method),
           .median_s = positive(entry, "median_s"),
           .p10_s = positive(entry, "p10_s"),
           .p90_s = positive(entry, "p90_s"),
           .count = static_cast<std::size_t>(count),
           .ideal_s = positive(entry, "ideal_s"),
           .delay_factor = positive(entry, "delay_factor"),
           .bound = parsed(entry, "bound", parse_bound)};
  const json labels = entry.value("labels", json::array());
  for (const json& label : labels)
    if (!label.is_string()) throw BadInput(".labels: must be a list of texts");
  labels.get_to(s.labels);
  return as_kept(std::move(s));
}

}  // namespace

std::vector<Sample> samples_from_version_2(const json& j) {
  if (!j.is_array()) throw BadInput("samples: must be a list");
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < j.size(); ++i) try {
      samples.push_back(read(j[i]));
    } catch (const BadInput& e) {
      throw BadInput("samples[" + std::to_string(i) + "]" + e.what());
    }
  return samples;
}

}  // namespace ridge
