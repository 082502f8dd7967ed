#include "kernels/cuda/cudnn_handle.h"

#include <utility>

#ifdef RIDGE_HAVE_CUDNN
#include <cudnn.h>
#endif

namespace ridge::cuda {

#ifdef RIDGE_HAVE_CUDNN

CudnnHandle::CudnnHandle(cudaStream_t stream) {
  cudnnStatus_t status = cudnnCreate(&handle_);
  if (status == CUDNN_STATUS_SUCCESS) status = cudnnSetStream(handle_, stream);
  if (status == CUDNN_STATUS_SUCCESS) return;
  why_ = std::string("cuDNN does not start: ") + cudnnGetErrorString(status);
  if (handle_) (void)cudnnDestroy(handle_);
  handle_ = nullptr;
}

CudnnHandle::~CudnnHandle() {
  if (handle_) (void)cudnnDestroy(handle_);
}

std::string cudnn_version() {
  const std::size_t v = cudnnGetVersion();  // 91300 is 9.13.0
  return std::to_string(v / 10000) + "." + std::to_string(v % 10000 / 100) + "." +
         std::to_string(v % 100);
}

#else

CudnnHandle::CudnnHandle(cudaStream_t) : why_("cuDNN is not built in") {}
CudnnHandle::~CudnnHandle() = default;
std::string cudnn_version() { return "not built in"; }

#endif

CudnnHandle::CudnnHandle(CudnnHandle&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), why_(std::move(other.why_)) {}

CudnnHandle& CudnnHandle::operator=(CudnnHandle&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(why_, other.why_);
  return *this;
}

}  // namespace ridge::cuda
