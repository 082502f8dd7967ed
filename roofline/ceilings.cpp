#include "roofline/ceilings.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

namespace ridge {
namespace {

double ceiling(const Ceilings& c, const std::string& key) {
  const auto it = c.values.find(key);
  if (it == c.values.end())
    throw BadInput("ceilings of " + c.device + ": '" + key + "' was not measured");
  return it->second.value;
}

}  // namespace

std::string_view name(Bound b) {
  return b == Bound::kCompute ? "compute" : b == Bound::kDram ? "dram" : "launch";
}

double dram_seconds(const Ceilings& c, double bytes_read, double bytes_written) {
  // A mix is read as a 1:1 copy of the smaller part, then a pure stream of what is left: writes
  // cost more beside reads than alone (bus turnaround), which dram.copy holds.
  const double both = std::min(bytes_read, bytes_written);
  double seconds = 0;
  if (both > 0) seconds += 2 * both / ceiling(c, "dram.copy");
  if (bytes_read > both) seconds += (bytes_read - both) / ceiling(c, "dram.read");
  if (bytes_written > both) seconds += (bytes_written - both) / ceiling(c, "dram.write");
  return seconds;
}

Ideal ideal(const Ceilings& c, const Work& work) {
  const double memory = dram_seconds(c, work.bytes_read, work.bytes_written);
  const double compute =
      work.flops > 0 ? work.flops / ceiling(c, ceiling_name(work.pipe, work.arithmetic)) : 0;
  return compute > memory ? Ideal{compute, Bound::kCompute} : Ideal{memory, Bound::kDram};
}

double launch_seconds(const Ceilings& c, Method method) {
  const auto it = c.values.find("launch." + std::string(name(method)));
  return it == c.values.end() ? 0 : it->second.value;
}

nlohmann::json to_json(const Ceilings& c) {
  nlohmann::json values = nlohmann::json::object();
  for (const auto& [key, v] : c.values)
    values[key] = {
        {"value", v.value}, {"unit", v.unit}, {"method", v.method}, {"spread", v.spread}};
  return {{"device", c.device}, {"values", std::move(values)}, {"provenance", c.provenance}};
}

Ceilings ceilings_from_json(const nlohmann::json& j) {
  Ceilings c;
  std::string at = "device";
  try {
    c.device = j.at("device").get<std::string>();
    at = "provenance";
    c.provenance = j.at("provenance").get<std::map<std::string, std::string>>();
    at = "values";
    for (const auto& [key, v] : j.at("values").items()) {
      at = "values." + key;
      Ceiling one{.value = v.at("value").get<double>(),
                  .unit = v.at("unit").get<std::string>(),
                  .method = v.at("method").get<std::string>(),
                  .spread = v.at("spread").get<double>()};
      if (!std::isfinite(one.value) || one.value <= 0)
        throw BadInput("ceilings: " + at + ".value must be a positive number");
      c.values[key] = std::move(one);
    }
  } catch (const nlohmann::json::exception&) {
    throw BadInput("ceilings: key '" + at + "' is missing or of a wrong type");
  }
  return c;
}

Ceilings load_ceilings(const std::filesystem::path& path) {
  try {
    return ceilings_from_json(read_json(path));
  } catch (const BadInput& e) {
    const std::string what = e.what();
    const bool named = what.find(path.string()) != std::string::npos;
    throw BadInput(named ? what : path.string() + ": " + what);
  }
}

}  // namespace ridge
