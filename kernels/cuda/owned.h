#pragma once
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <utility>

namespace ridge::cuda {

// A move-only owner of a library handle. A failing destructor call has nobody to tell: after a lost
// device all of them fail.
template <class Handle, auto kDestroy>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_) (void)kDestroy(handle_);
  }
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }  // for xCreate(owner.out()), once

 private:
  Handle handle_ = nullptr;
};

using Stream = Owned<cudaStream_t, &cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, &cudaEventDestroy>;
using Graph = Owned<cudaGraph_t, &cudaGraphDestroy>;
using GraphExec = Owned<cudaGraphExec_t, &cudaGraphExecDestroy>;
using CublasHandle = Owned<cublasHandle_t, &cublasDestroy>;
using CublasLtHandle = Owned<cublasLtHandle_t, &cublasLtDestroy>;
using LtMatmulDesc = Owned<cublasLtMatmulDesc_t, &cublasLtMatmulDescDestroy>;
using LtLayout = Owned<cublasLtMatrixLayout_t, &cublasLtMatrixLayoutDestroy>;
using LtPreference = Owned<cublasLtMatmulPreference_t, &cublasLtMatmulPreferenceDestroy>;

}  // namespace ridge::cuda
