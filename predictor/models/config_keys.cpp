#include "predictor/models/config_keys.h"

#include <fmt/format.h>

#include <utility>

#include "kernels/core/error.h"

namespace ridge {
namespace {

// A value as the message shows it: short, whatever it is.
std::string shown(const nlohmann::json& value) {
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= 40 ? text : text.substr(0, 37) + "...";
}

}  // namespace

ConfigKeys::ConfigKeys(const nlohmann::json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object())
    fail("must be a JSON object, the config.json of a model, not " + shown(object_));
}

void ConfigKeys::fail(const std::string& what) const { throw BadInput(where_ + ": " + what); }

const nlohmann::json* ConfigKeys::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool ConfigKeys::has(const char* key) const { return find(key) != nullptr; }

int64_t ConfigKeys::checked(const char* key, const nlohmann::json& value, int64_t least,
                            int64_t most) const {
  const bool small = value.is_number_unsigned()
                         ? value.get<uint64_t>() <= static_cast<uint64_t>(most)
                         : value.is_number_integer() && value.get<int64_t>() <= most;
  if (!small || value.get<int64_t>() < least)
    fail(fmt::format("{} = {} must be a whole number in [{}, {}]", key, shown(value), least, most));
  return value.get<int64_t>();
}

int64_t ConfigKeys::whole(const char* key, int64_t most, int64_t fallback) const {
  if (const nlohmann::json* value = find(key)) return checked(key, *value, 1, most);
  if (fallback == 0) fail(std::string("has no ") + key + ", which its architecture needs");
  return fallback;
}

int64_t ConfigKeys::whole_or_0(const char* key, int64_t most) const {
  const nlohmann::json* value = find(key);
  return value ? checked(key, *value, 0, most) : 0;
}

double ConfigKeys::share(const char* key) const {
  const nlohmann::json* value = find(key);
  if (!value) return 1;
  if (!value->is_number() || !(value->get<double>() > 0 && value->get<double>() <= 1))
    fail(fmt::format("{} = {} must be a number above 0 and at most 1", key, shown(*value)));
  return value->get<double>();
}

bool ConfigKeys::flag(const char* key, bool fallback) const {
  const nlohmann::json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) fail(fmt::format("{} = {} must be true or false", key, shown(*value)));
  return value->get<bool>();
}

std::string ConfigKeys::text(const char* key, const std::string& fallback) const {
  const nlohmann::json* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) fail(fmt::format("{} = {} must be a string", key, shown(*value)));
  return value->get<std::string>();
}

std::vector<std::string> ConfigKeys::texts(const char* key) const {
  const nlohmann::json* value = find(key);
  if (!value) return {};
  std::vector<std::string> list;
  if (value->is_array())
    for (const nlohmann::json& item : *value)
      if (item.is_string()) list.push_back(item.get<std::string>());
  if (!value->is_array() || list.size() != value->size())
    fail(fmt::format("{} = {} must be a list of strings", key, shown(*value)));
  return list;
}

std::vector<int64_t> ConfigKeys::wholes(const char* key, int64_t most) const {
  const nlohmann::json* value = find(key);
  if (!value) return {};
  if (!value->is_array())
    fail(fmt::format("{} = {} must be a list of whole numbers", key, shown(*value)));
  std::vector<int64_t> list;
  for (const nlohmann::json& item : *value) list.push_back(checked(key, item, 0, most));
  return list;
}

}  // namespace ridge
