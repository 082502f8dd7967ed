#include "kernels/core/json_schema.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace ridge {
namespace {

using nlohmann::json;

// ["<root>", "[samples]", "[3]", "[median_s]"] → "samples[3].median_s"
std::string path_text(const std::vector<std::string>& context) {
  std::string path;
  for (const std::string& part : context) {
    if (part == "<root>" || part.size() < 2) continue;
    const std::string key = part.front() == '[' ? part.substr(1, part.size() - 2) : part;
    const bool index = key.find_first_not_of("0123456789") == std::string::npos;
    path += index ? "[" + key + "]" : (path.empty() ? "" : ".") + key;
  }
  return path.empty() ? "file" : path;
}

// Lists of plain numbers are most of a large file, and the validator takes a microsecond for each
// number. They are checked here, and the validator gets the document with these lists empty.
class Outline {
 public:
  explicit Outline(const json& schema) : schema_(schema) {}

  // `value` without what was checked; `node` is the part of the schema that describes it.
  json of(const json& node, const json& value, const std::string& path) {
    const json& rules = resolved(node);
    if (value.is_array()) return of_array(rules, value, path);
    if (!value.is_object()) return value;
    json made = json::object();
    for (const auto& [key, member] : value.items())
      made[key] = of(rules_of(rules, key), member, path.empty() ? key : path + "." + key);
    return made;
  }

  const std::string& error() const { return error_; }  // the first; "" where there is none

 private:
  static const json& none() {
    static const json empty = json::object();
    return empty;
  }
  const json& resolved(const json& node) const {
    const auto ref = node.find("$ref");
    return ref == node.end() ? node
                             : schema_.at(json::json_pointer(ref->get<std::string>().substr(1)));
  }
  static const json& rules_of(const json& rules, const std::string& key) {
    const auto properties = rules.find("properties");
    if (properties != rules.end() && properties->contains(key)) return properties->at(key);
    const auto others = rules.find("additionalProperties");
    return others != rules.end() && others->is_object() ? *others : none();
  }

  json of_array(const json& rules, const json& value, const std::string& path) {
    const auto found = rules.find("items");
    const json& items = found == rules.end() ? none() : resolved(*found);
    const std::string type = items.value("type", "");
    if (rules.size() == 2 && (type == "number" || type == "integer")) {
      check(items, type == "integer", value, path);
      return json::array();
    }
    json made = json::array();
    for (std::size_t i = 0; i < value.size(); ++i)
      made.push_back(of(items, value[i], path + "[" + std::to_string(i) + "]"));
    return made;
  }

  void check(const json& items, bool whole, const json& values, const std::string& path) {
    const double above = items.value("exclusiveMinimum", -INFINITY),
                 least = items.value("minimum", -INFINITY), most = items.value("maximum", INFINITY);
    for (std::size_t i = 0; i < values.size() && error_.empty(); ++i) {
      const json& one = values[i];
      const double value = one.is_number() ? one.get<double>() : NAN;
      if ((whole ? one.is_number_integer() : one.is_number()) && std::isfinite(value) &&
          value > above && value >= least && value <= most)
        continue;
      error_ =
          path + "[" + std::to_string(i) + "]: is " + one.dump() + ", must fit " + items.dump();
    }
  }

  const json& schema_;
  std::string error_;
};

}  // namespace

std::string schema_errors(const json& schema, const json& j) {
  Outline outline(schema);
  const json rest = outline.of(schema, j, "");
  if (!outline.error().empty()) return outline.error();
  valijson::Schema compiled;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema),
                                          compiled);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(rest), &results))
    return {};
  // The validator reports a broken leaf first, then every node around it: the leaf says most.
  std::string text;
  valijson::ValidationResults::Error error;
  for (int shown = 0; shown < 2 && results.popError(error); ++shown)
    text += (text.empty() ? "" : "; ") + path_text(error.context) + ": " + error.description;
  return text;
}

}  // namespace ridge
