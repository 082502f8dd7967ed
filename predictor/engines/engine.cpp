#include "predictor/engines/engine.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "kernels/core/error.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Insertions, deletions and replacements between two words.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

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

// Distance of the asked name to the nearest of the profile's.
std::size_t distance(const EngineProfile& e, const std::string& asked) {
  std::size_t least = edits(plain(e.name), asked);
  for (const std::string& alias : e.aliases) least = std::min(least, edits(plain(alias), asked));
  return least;
}

}  // namespace

bool EngineProfile::adds_time() const {
  return prefill.per_step_s > 0 || prefill.per_sequence_s > 0 || decode.per_step_s > 0 ||
         decode.per_sequence_s > 0 || per_request_s > 0 || decode_floor_s > 0;
}

std::vector<std::string> bundled_engines() {
  std::vector<std::string> names;
  for (const fs::path& file : profile_files()) names.push_back(file.stem().string());
  return names;
}

EngineProfile find_engine(const std::string& name_or_path) {
  std::error_code ignored;
  if (fs::is_regular_file(name_or_path, ignored)) return read_engine(name_or_path);
  std::vector<EngineProfile> all;
  for (const fs::path& file : profile_files()) all.push_back(read_engine(file));
  const std::string asked = plain(name_or_path);
  for (const EngineProfile& e : all)
    if (distance(e, asked) == 0) return e;
  std::stable_sort(all.begin(), all.end(), [&](const EngineProfile& a, const EngineProfile& b) {
    return distance(a, asked) < distance(b, asked);
  });
  std::string names;
  for (const EngineProfile& e : all) names += (names.empty() ? "" : ", ") + e.name;
  throw BadInput("engine '" + name_or_path + "' is not known; use one of " + names +
                 ", or the path of a profile");
}

}  // namespace ridge
