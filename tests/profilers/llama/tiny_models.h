#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace ridge {

// Folders that make_tiny.py wrote (config.json, safetensors, expected.json), by name; empty where
// Python had no NumPy to make them with.
inline std::vector<std::filesystem::path> tiny_models() {
  std::vector<std::filesystem::path> found;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(RIDGE_TINY_LLAMAS, absent))
    if (std::filesystem::exists(entry.path() / "expected.json")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace ridge
