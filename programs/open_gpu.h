#pragma once
#include <fmt/format.h>

#include <memory>
#include <string>

#include "kernels/core/error.h"
#include "kernels/open_backend.h"
#include "roofline/device_specs.h"

namespace ridge {

// Finds what open_gpu() opens.
inline std::unique_ptr<Backend> find_gpu(const std::string& gpu) {
  std::string notice;
  try {
    auto backend = open_backend(gpu, &notice);
    if (!notice.empty()) fmt::print(stderr, "note: {}\n", notice);
    return backend;
  } catch (const DeviceMissing&) {
    if (gpu.rfind("cuda", 0) == 0) throw;
    if (const auto asked = find_device(gpu)) {
      // The driver may call it by another name: an H100-SXM is an "NVIDIA H100 80GB HBM3".
      auto backend = open_backend("auto", nullptr);
      const auto found = find_device(backend->device().name);
      if (found && found->name == asked->name) return backend;
      throw;
    }
    std::string known;
    for (const DeviceSpec& spec : device_specs()) known += " " + spec.name;
    throw BadInput(fmt::format("--gpu {}: unknown; use auto, cpu, cuda:N or one of{}", gpu, known));
  }
}

// open_backend() for the commands: prints the notice and those of the device to standard error, and
// tells a GPU that is not here (DeviceMissing) from a name that nobody knows (BadInput).
inline std::unique_ptr<Backend> open_gpu(const std::string& gpu) {
  auto backend = find_gpu(gpu);
  for (const std::string& notice : backend->device().notices)
    fmt::print(stderr, "note: {}\n", notice);
  return backend;
}

}  // namespace ridge
