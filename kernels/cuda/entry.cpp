// The plugin's one exported symbol (kernels/open_backend.h).
#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/device_info.h"
#include "kernels/open_backend.h"

namespace {

void write_line(const std::string& text, char* out, std::size_t bytes) {
  if (!out || bytes == 0) return;
  const std::size_t count = std::min(text.size(), bytes - 1);
  std::memcpy(out, text.data(), count);
  out[count] = 0;
  std::replace(out, out + count, '\n', ' ');
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ridge::Backend* ridge_open_cuda_backend(
    int device, char* error, std::size_t error_bytes) {
  try {
    if (const std::string why = ridge::cuda::unusable(device); !why.empty()) {
      write_line(why, error, error_bytes);
      return nullptr;
    }
    return new ridge::cuda::CudaBackend(device);
  } catch (const std::exception& e) {
    write_line(std::string("the device does not start: ") + e.what(), error, error_bytes);
    return nullptr;
  }
}
