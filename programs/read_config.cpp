#include "programs/read_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

namespace ridge {
namespace {

using nlohmann::json;

// JSON's own words for numbers and the like are YAML's, too; all else is a text.
json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  const json read = json::parse(text, nullptr, false);
  if (read.is_number() || read.is_boolean()) return read;
  return text;
}

json from_yaml(const YAML::Node& node) {
  if (node.IsMap()) {
    json j = json::object();
    for (const auto& member : node) j[member.first.Scalar()] = from_yaml(member.second);
    return j;
  }
  if (node.IsSequence()) {
    json j = json::array();
    for (const YAML::Node& item : node) j.push_back(from_yaml(item));
    return j;
  }
  return node.IsScalar() ? scalar(node) : json(nullptr);
}

}  // namespace

json read_config(const std::string& file) {
  if (!file.ends_with(".yaml") && !file.ends_with(".yml")) return read_json(file);
  try {
    return from_yaml(YAML::LoadFile(file));
  } catch (const YAML::BadFile&) {
    throw BadInput(file + ": cannot be read");
  } catch (const YAML::Exception& e) {
    throw BadInput(fmt::format("{}:{}: no YAML: {}", file, e.mark.line + 1, e.msg));
  }
}

void set_values(json& j, const std::vector<std::string>& assignments) {
  for (const std::string& text : assignments) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw BadInput("--set " + text + ": want key=value, such as workload.requests=1000");
    json* at = &j;
    std::string path = text.substr(0, equals);
    for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.')) {
      at = &(*at)[path.substr(0, dot)];
      if (!at->is_object() && !at->is_null())
        throw BadInput("--set " + text + ": '" + path.substr(0, dot) + "' has no keys");
      path.erase(0, dot + 1);
    }
    if (!at->is_object() && !at->is_null())
      throw BadInput("--set " + text + ": what is before the last '.' has no keys");
    const std::string value = text.substr(equals + 1);
    const json read = json::parse(value, nullptr, false);
    (*at)[path] = read.is_discarded() ? json(value) : read;
  }
}

}  // namespace ridge
