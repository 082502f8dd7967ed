#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "kernels/core/error.h"
#include "kernels/open_backend.h"

namespace ridge {

// The CUDA device of this machine, or null with the reason in `why`.
inline Backend* cuda_device(std::string* why) {
  static std::string reason;
  static const std::unique_ptr<Backend> backend = []() -> std::unique_ptr<Backend> {
    try {
      return open_backend("cuda", nullptr);
    } catch (const DeviceMissing& e) {
      reason = e.what();
      return nullptr;
    }
  }();
  *why = reason;
  return backend.get();
}

// Skips visibly where there is no device.
class OnCuda : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    gpu_ = cuda_device(&why);
    if (!gpu_) GTEST_SKIP() << why;
  }
  Backend& gpu() { return *gpu_; }

 private:
  Backend* gpu_ = nullptr;
};

}  // namespace ridge
