#include "calibrate/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ridge {
namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 100;

bool on_one_line(const json& j, const std::string& text, std::size_t indent) {
  if (!j.is_structured() || j.empty()) return true;
  const bool column = j.is_array() && std::none_of(j.begin(), j.end(),
                                                   [](const json& v) { return v.is_structured(); });
  return column || indent + text.size() <= kColumns;
}

void write(const json& j, std::size_t indent, std::string& out) {
  const std::string text = j.dump();
  if (on_one_line(j, text, indent)) {
    out += text;
    return;
  }
  const std::string inner(indent + 1, ' ');
  out += j.is_object() ? "{\n" : "[\n";
  bool first = true;
  const auto member = [&](const std::string& key, const json& value) {
    if (!first) out += ",\n";
    first = false;
    out += inner;
    if (!key.empty()) out += key + ": ";
    write(value, indent + 1, out);
  };
  if (j.is_object()) {
    for (const bool plain : {true, false})
      for (const auto& [key, value] : j.items())
        if (value.is_structured() != plain) member(json(key).dump(), value);
  } else {
    for (const json& value : j) member("", value);
  }
  out += "\n" + std::string(indent, ' ') + (j.is_object() ? "}" : "]");
}

}  // namespace

std::string json_text(const json& j) {
  std::string out;
  write(j, 0, out);
  return out + "\n";
}

}  // namespace ridge
