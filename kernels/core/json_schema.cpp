#include "kernels/core/json_schema.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace ridge {
namespace {

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

}  // namespace

std::string schema_errors(const nlohmann::json& schema, const nlohmann::json& j) {
  valijson::Schema compiled;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema),
                                          compiled);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(j), &results)) return {};
  // The validator reports a broken leaf first, then every node around it: the leaf says most.
  std::string text;
  valijson::ValidationResults::Error error;
  for (int shown = 0; shown < 2 && results.popError(error); ++shown)
    text += (text.empty() ? "" : "; ") + path_text(error.context) + ": " + error.description;
  return text;
}

}  // namespace ridge
