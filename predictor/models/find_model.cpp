#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/models/model.h"
#include "predictor/models/nearest_names.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";

fs::path models_folder() { return data_dir() / "predictor" / "models"; }

std::vector<std::string> list_bundled() {
  const fs::path folder = models_folder() / "bundled";
  std::error_code missing;
  fs::directory_iterator files(folder, missing);
  if (missing)
    throw BadInput(folder.string() +
                   ": no bundled models there; set RIDGE_DATA_DIR to the folder that has "
                   "predictor/models");
  std::vector<std::string> names;
  for (const auto& entry : files)
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

// plain_name() of every name and alias -> bundled name.
std::map<std::string, std::string> list_names() {
  std::map<std::string, std::string> names;
  for (const std::string& name : bundled_models()) names[plain_name(name)] = name;
  const fs::path file = models_folder() / "aliases.json";
  const nlohmann::json aliases = read_json(file);
  try {
    for (const auto& [name, others] : aliases.items())
      for (const std::string& other : others.get<std::vector<std::string>>())
        names.emplace(plain_name(other), name);
  } catch (const nlohmann::json::exception& e) {
    throw BadInput(file.string() + ": not lists of aliases by name: " + e.what());
  }
  return names;
}

std::string name_of(const fs::path& file) {
  if (file.filename() != kConfig) return file.stem().string();
  return fs::absolute(file).parent_path().filename().string();
}

bool has_model(const fs::path& path) {
  std::error_code ignored;
  return !path.empty() &&
         (fs::is_regular_file(path, ignored) || fs::exists(path / kConfig, ignored));
}

bool looks_like_path(const std::string& text) {
  return text.ends_with(".json") || text.starts_with(".") || text.starts_with("/") ||
         text.ends_with("/");
}

}  // namespace

Model read_model(const fs::path& path) {
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  if (folder && !fs::exists(path / kConfig, ignored))
    throw BadInput(path.string() + ": the folder has no config.json");
  const fs::path file = folder ? path / kConfig : path;
  return model_from_json(read_json(file), file.string(), name_of(file));
}

std::vector<std::string> bundled_models() {
  static const std::vector<std::string> names = list_bundled();
  return names;
}

Model find_model(const std::string& name_or_path) {
  if (has_model(name_or_path)) return read_model(name_or_path);
  if (looks_like_path(name_or_path))
    throw BadInput(name_or_path +
                   ": no such model: name a config.json, a folder that has one, or a "
                   "bundled model");
  static const std::map<std::string, std::string> names = list_names();
  // "meta-llama/Llama-3.1-8B": what is before the slash is who made it.
  const std::string asked = name_or_path.substr(name_or_path.rfind('/') + 1);
  if (const auto it = names.find(plain_name(asked)); it != names.end())
    return read_model(models_folder() / "bundled" / (it->second + ".json"));
  std::string text;
  for (const std::string& near : nearest_names(asked, bundled_models(), 4))
    text += (text.empty() ? "" : ", ") + near;
  throw BadInput(
      fmt::format("model '{}' is not known; nearest are {}; a config.json, or a folder that has "
                  "one, will do too",
                  name_or_path.substr(0, 80), text));
}

}  // namespace ridge
