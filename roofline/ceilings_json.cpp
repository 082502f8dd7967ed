// ceilings.json, described by schema/ceilings.schema.json.
#include <cmath>
#include <nlohmann/json.hpp>

#include "ceilings_schema.inc"  // made by CMake: kCeilingsSchemaText
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/json_schema.h"
#include "roofline/ceilings.h"

namespace ridge {
namespace {

using nlohmann::json;

constexpr int kVersion = 2;

json to_json(const Ceiling& c) {
  json j{{"value", c.value}, {"unit", c.unit}, {"method", c.method}, {"spread", c.spread}};
  j["of_datasheet"] = c.of_datasheet > 0 ? json(c.of_datasheet) : json(nullptr);
  j["clock_hz"] = c.clock_hz > 0 ? json(c.clock_hz) : json(nullptr);
  j["of_clock"] = c.of_clock > 0 ? json(c.of_clock) : json(nullptr);
  j["verdict"] = name(c.verdict);
  return j;
}

json to_json(const Level& l) {
  return {{"name", l.name},
          {"bytes", l.bytes},
          {"per_unit", l.per_unit},
          {"lasting", l.lasting},
          {"method", l.method}};
}

json to_json(const Sweep& s) {
  return {{"key", s.key},
          {"method", s.method},
          {"x", {{"name", s.x.name}, {"unit", s.x.unit}}},
          {"y", {{"name", s.y.name}, {"unit", s.y.unit}}},
          {"points", s.points}};
}

json to_json(const Staircase& s) {
  return {{"sweep", s.sweep}, {"tile", s.tile}, {"wave", s.wave}, {"wave_tiles", s.wave_tiles}};
}

template <class T>
json list_of(const std::vector<T>& values) {
  json j = json::array();
  for (const T& value : values) j.push_back(to_json(value));
  return j;
}

Ceiling ceiling_from(const json& j, const std::string& at) {
  Ceiling c{.value = j.at("value").get<double>(),
            .unit = j.at("unit").get<std::string>(),
            .method = j.at("method").get<std::string>(),
            .spread = j.at("spread").get<double>()};
  if (!std::isfinite(c.value) || c.value <= 0)
    throw BadInput("ceilings: " + at + ".value must be a positive number");
  // Files of version 1 have none of these.
  const auto amount = [&](const char* key) {
    const auto it = j.find(key);
    return it != j.end() && it->is_number() ? it->get<double>() : 0.0;
  };
  c.of_datasheet = amount("of_datasheet");
  c.clock_hz = amount("clock_hz");
  c.of_clock = amount("of_clock");
  const std::string verdict = j.value("verdict", "unknown");
  c.verdict = verdict == "inside"    ? Verdict::kInside
              : verdict == "outside" ? Verdict::kOutside
                                     : Verdict::kUnknown;
  return c;
}

Sweep sweep_from(const json& j) {
  const auto axis = [](const json& a) {
    return Sweep::Axis{a.at("name").get<std::string>(), a.at("unit").get<std::string>()};
  };
  return {.key = j.at("key").get<std::string>(),
          .method = j.at("method").get<std::string>(),
          .x = axis(j.at("x")),
          .y = axis(j.at("y")),
          .points = j.at("points").get<std::vector<std::pair<double, double>>>()};
}

// `at` names what is being read, for the message of a failure.
Ceilings read(const json& j, std::string& at) {
  Ceilings c;
  at = "device";
  c.device = j.at("device").get<std::string>();
  at = "provenance";
  c.provenance = j.at("provenance").get<std::map<std::string, std::string>>();
  at = "values";
  for (const auto& [key, v] : j.at("values").items()) {
    at = "values." + key;
    c.values[key] = ceiling_from(v, at);
  }
  at = "levels";
  for (const json& l : j.value("levels", json::array()))
    c.levels.push_back({.name = l.at("name").get<std::string>(),
                        .bytes = l.at("bytes").get<double>(),
                        .per_unit = l.at("per_unit").get<bool>(),
                        .lasting = l.at("lasting").get<bool>(),
                        .method = l.at("method").get<std::string>()});
  at = "sweeps";
  for (const json& s : j.value("sweeps", json::array())) c.sweeps.push_back(sweep_from(s));
  at = "staircases";
  for (const json& s : j.value("staircases", json::array()))
    c.staircases.push_back({.sweep = s.at("sweep").get<std::string>(),
                            .tile = s.at("tile").get<double>(),
                            .wave = s.at("wave").get<double>(),
                            .wave_tiles = s.at("wave_tiles").get<double>()});
  at = "notes";
  c.notes = j.value("notes", std::vector<std::string>{});
  return c;
}

}  // namespace

json to_short_json(const Ceilings& c) {
  json values = json::object();
  for (const auto& [key, v] : c.values) values[key] = to_json(v);
  return {{"schema_version", kVersion},          {"device", c.device},
          {"values", std::move(values)},         {"levels", list_of(c.levels)},
          {"staircases", list_of(c.staircases)}, {"provenance", c.provenance}};
}

json to_json(const Ceilings& c) {
  json j = to_short_json(c);
  j["sweeps"] = list_of(c.sweeps);
  j["notes"] = c.notes;
  json& ridges = j["ridge_points"] = json::array();
  for (const RidgePoint& r : ridge_points(c))
    ridges.push_back({{"pipe", r.pipe}, {"level", r.level}, {"intensity", r.intensity}});
  return j;
}

Ceilings ceilings_from_json(const json& j) {
  std::string at = "file";
  try {
    if (j.contains("schema_version")) {
      if (j.at("schema_version") != kVersion)
        throw BadInput("ceilings: schema_version " + j.at("schema_version").dump() +
                       " is not known here (this program knows 1 and 2); measure again");
      static const json schema = json::parse(kCeilingsSchemaText);
      if (const std::string wrong = schema_errors(schema, j); !wrong.empty())
        throw BadInput("ceilings: " + wrong);
    }
    return read(j, at);
  } catch (const json::exception&) {
    throw BadInput("ceilings: key '" + at + "' is missing or of a wrong type");
  }
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
