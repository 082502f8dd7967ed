#include "predictor/engines/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "predictor/models/nearest_names.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

fs::path folder() { return data_dir() / "predictor" / "engines" / "profiles"; }

std::vector<fs::path> profile_files() {
  std::error_code missing;
  fs::directory_iterator files(folder(), missing);
  if (missing)
    throw BadInput(folder().string() +
                   ": no engine profiles there; set RIDGE_DATA_DIR to the folder that has "
                   "predictor/engines/profiles");
  std::vector<fs::path> list;
  for (const auto& entry : files)
    if (entry.path().extension() == ".json") list.push_back(entry.path());
  std::sort(list.begin(), list.end());
  return list;
}

bool is_called(const EngineProfile& e, const std::string& name) {
  const std::string asked = plain_name(name);
  return plain_name(e.name) == asked ||
         std::any_of(e.aliases.begin(), e.aliases.end(),
                     [&](const std::string& alias) { return plain_name(alias) == asked; });
}

}  // namespace

bool EngineTimes::adds_time() const {
  return prefill.per_step_s > 0 || prefill.per_sequence_s > 0 || decode.per_step_s > 0 ||
         decode.per_sequence_s > 0 || tensor_step_s > 0 || per_request_s > 0 ||
         decode_floor_s > 0 || per_cached_token_s > 0;
}

bool EngineProfile::adds_time() const {
  return times.adds_time() || std::any_of(on_gpu.begin(), on_gpu.end(),
                                          [](const auto& g) { return g.second.adds_time(); });
}

const EngineTimes& EngineProfile::times_on(const std::string& gpu) const {
  const auto at = on_gpu.find(gpu);
  return at == on_gpu.end() ? times : at->second;
}

std::vector<std::string> bundled_engines() {
  std::vector<std::string> names;
  for (const fs::path& file : profile_files()) names.push_back(file.stem().string());
  return names;
}

EngineProfile find_engine(const std::string& name_or_path) {
  std::error_code ignored;
  if (fs::is_regular_file(name_or_path, ignored)) return read_engine(name_or_path);
  std::vector<std::string> names;
  for (const fs::path& file : profile_files()) {
    EngineProfile e = read_engine(file);
    if (is_called(e, name_or_path)) return e;
    names.push_back(e.name);
  }
  const std::size_t most = names.size();
  throw BadInput(fmt::format("engine '{}' is not known; use one of {}, or the path of a profile",
                             name_or_path,
                             fmt::join(nearest_names(name_or_path, std::move(names), most), ", ")));
}

}  // namespace ridge
