#include "programs/speed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

bool has_weights(const fs::path& folder) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent))
    if (entry.path().extension() == ".safetensors") return true;
  return fs::exists(folder / "model.safetensors.index.json", absent);
}

SpeedModel of_path(const std::string& path) {
  SpeedModel m{.model = read_model(path), .numerics = {}, .folder = {}};
  const fs::path config = fs::is_directory(path) ? fs::path(path) / "config.json" : fs::path(path);
  m.numerics = numerics_from_json(read_json(config), config.string());
  if (has_weights(config.parent_path())) m.folder = config.parent_path().string();
  return m;
}

// The folder that huggingface-cli puts a repository in; it prints it last.
std::string download(const std::string& repository) {
  const bool plain = std::all_of(repository.begin(), repository.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
  const auto slash = repository.find('/');
  if (!plain || slash == std::string::npos || slash == 0 || repository.starts_with("-")) return "";
  if (std::system("command -v huggingface-cli > /dev/null 2>&1") != 0)
    throw BadInput(fmt::format(
        "--model-name {}: is not bundled, and there is no huggingface-cli to download it with: "
        "pip install huggingface_hub[cli], or give the folder of its files with --model-path",
        repository));
  fmt::print(stderr, "downloading {}\n", repository);
  const std::string command = "huggingface-cli download '" + repository + "'";
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot start huggingface-cli");
  std::string text, last;
  std::array<char, 4096> part;
  while (std::fgets(part.data(), part.size(), pipe)) text += part.data();
  if (pclose(pipe) != 0)
    throw BadInput(fmt::format("--model-name {}: huggingface-cli could not download it: see above",
                               repository));
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

SpeedModel of_name(const std::string& name) {
  try {
    return {.model = find_model(name), .numerics = {}, .folder = {}};
  } catch (const BadInput&) {
    const std::string folder = download(name);
    if (folder.empty()) throw;
    return of_path(folder);
  }
}

}  // namespace

SpeedModel find_speed_model(const std::string& path, const std::string& name, int64_t layers) {
  const char* environment = std::getenv("LLAMA_MODEL_PATH");
  const std::string from = !path.empty() ? path : environment ? environment : "";
  SpeedModel m = from.empty() ? of_name(name) : of_path(from);
  if (layers == 0) return m;
  if (layers > m.model.layers)
    throw BadInput(fmt::format("--layers {}: {} has {}", layers, m.model.name, m.model.layers));
  m.model.layers = layers;
  m.model.windowed_layers = std::min(m.model.windowed_layers, layers);
  m.model.name += fmt::format(" ({} layers)", layers);
  m.folder.clear();
  return m;
}

}  // namespace ridge
