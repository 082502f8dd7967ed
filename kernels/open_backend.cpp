#include "kernels/open_backend.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "kernels/core/error.h"
#include "kernels/cpu/cpu_backend.h"

namespace ridge {
namespace {

// Beside the program, or where RIDGE_PLUGIN_DIR says.
std::filesystem::path plugin_path() {
  if (const char* folder = std::getenv("RIDGE_PLUGIN_DIR"))
    return std::filesystem::path(folder) / kCudaPlugin;
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path() / kCudaPlugin;
}

std::unique_ptr<Backend> open_cuda(int device, std::string* why) {
  const auto path = plugin_path();
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable)) {
    *why = std::getenv("RIDGE_PLUGIN_DIR")
               ? "RIDGE_PLUGIN_DIR names " + path.parent_path().string() + ", which has no " +
                     path.filename().string()
               : "built without CUDA (no " + path.filename().string() + " beside the program)";
    return nullptr;
  }
  // The plugin stays open: its backend's code must outlive every use.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    *why = std::string("the CUDA plugin does not load: ") + dlerror();
    return nullptr;
  }
  const auto open = reinterpret_cast<OpenCudaBackend>(dlsym(library, kCudaEntry));
  if (!open) {
    *why = "the CUDA plugin is of another build: it lacks " + std::string(kCudaEntry);
    return nullptr;
  }
  std::array<char, 1024> error{};
  std::unique_ptr<Backend> backend(open(device, error.data(), error.size()));
  if (!backend) *why = error.data();
  return backend;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "h200" is in "NVIDIA H200"; "a100-80gb" in "NVIDIA A100-SXM4-80GB": every part must occur.
bool matches(const std::string& asked, const std::string& device) {
  std::size_t start = 0;
  while (start <= asked.size()) {
    const std::size_t end = std::min(asked.find_first_of("-_ ", start), asked.size());
    if (device.find(asked.substr(start, end - start)) == std::string::npos) return false;
    start = end + 1;
  }
  return true;
}

}  // namespace

std::unique_ptr<Backend> open_backend(const std::string& gpu, std::string* notice) {
  const std::string asked = lower(gpu);
  if (asked == "cpu") return open_cpu_backend();
  int index = 0;
  if (asked.rfind("cuda:", 0) == 0) {
    const std::string digits = asked.substr(5);
    if (digits.empty() || digits.size() > 3 ||
        !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); }))
      throw BadInput("--gpu " + gpu + ": want cuda:0, cuda:1, …");
    index = std::stoi(digits);
  }
  std::string why;
  auto backend = open_cuda(index, &why);
  if (asked == "auto") {
    if (backend) return backend;
    if (notice) *notice = "no CUDA device is used (" + why + "); measuring the CPU";
    return open_cpu_backend();
  }
  if (!backend) throw DeviceMissing("--gpu " + gpu + ": " + why);
  if (asked.rfind("cuda", 0) != 0 && !matches(asked, lower(backend->device().name)))
    throw DeviceMissing("--gpu " + gpu + ": this machine's GPU is " + backend->device().name +
                        "; use --gpu auto to measure it");
  return backend;
}

}  // namespace ridge
