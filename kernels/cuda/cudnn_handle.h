#pragma once
#include <cuda_runtime.h>

#include <string>

struct cudnnContext;

namespace ridge::cuda {

// Owns a cuDNN handle bound to a stream. get() is null where cuDNN is not built in or does not
// start; why() then says so, and operators that need it report themselves unsupported.
class CudnnHandle {
 public:
  CudnnHandle() = default;
  explicit CudnnHandle(cudaStream_t stream);
  CudnnHandle(CudnnHandle&& other) noexcept;
  CudnnHandle& operator=(CudnnHandle&& other) noexcept;
  ~CudnnHandle();
  cudnnContext* get() const { return handle_; }
  const std::string& why() const { return why_; }

 private:
  cudnnContext* handle_ = nullptr;
  std::string why_;
};

std::string cudnn_version();  // "9.13.0", or "not built in"

}  // namespace ridge::cuda
