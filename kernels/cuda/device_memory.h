#pragma once
#include <algorithm>
#include <any>
#include <memory>
#include <string>

#include "kernels/core/backend.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"

namespace ridge::cuda {

// cudaMalloc'ed memory, 256-byte aligned. Throws OutOfMemory; the device stays usable.
class DeviceMemory final : public Buffer {
 public:
  explicit DeviceMemory(int64_t bytes) : bytes_(std::max<int64_t>(bytes, 1)) {
    check(cudaMalloc(&address_, static_cast<std::size_t>(bytes_)),
          ("cudaMalloc of " + std::to_string(bytes_ >> 20) + " MiB").c_str());
  }
  ~DeviceMemory() override { (void)cudaFree(address_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  void* address() const override { return address_; }
  int64_t bytes() const override { return bytes_; }

 private:
  int64_t bytes_;
  void* address_ = nullptr;
};

// Intermediates of launches that run one after the other on the stream, shared under `key`. Freed
// with the last launch that holds them; a larger request gets its own memory.
inline std::shared_ptr<DeviceMemory> shared_scratch(CudaContext& context, const std::string& key,
                                                    int64_t bytes) {
  std::any& slot = context.tuned["scratch " + key];
  if (const auto* weak = std::any_cast<std::weak_ptr<DeviceMemory>>(&slot))
    if (auto memory = weak->lock(); memory && memory->bytes() >= bytes) return memory;
  auto memory = std::make_shared<DeviceMemory>(bytes);
  slot = std::weak_ptr<DeviceMemory>(memory);
  return memory;
}

}  // namespace ridge::cuda
