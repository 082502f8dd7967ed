#pragma once
#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <string>

#include "kernels/core/error.h"

namespace ridge {

// Errors after which the driver refuses every further call of this process on the device.
inline bool is_sticky(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
      return true;
    default:
      return false;
  }
}

// Throws OutOfMemory for cudaErrorMemoryAllocation, DeviceLost for the sticky ones,
// std::runtime_error for the rest; the message carries the expression and the runtime's own words.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // clear it, so that the next call is not blamed
  const std::string text =
      std::string(what) + ": " + cudaGetErrorName(status) + ", " + cudaGetErrorString(status);
  if (status == cudaErrorMemoryAllocation) throw OutOfMemory(text);
  if (is_sticky(status))
    throw DeviceLost(text +
                     "; a launch before this call failed, and the device takes no more work from "
                     "this process: start it again");
  throw std::runtime_error(text);
}

inline void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const std::string text = std::string(what) + ": " + cublasGetStatusString(status);
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw OutOfMemory(text);
  throw std::runtime_error(text);
}

}  // namespace ridge

// RIDGE_CUDA(cudaMalloc(&p, n)); also after a kernel launch: RIDGE_CUDA(cudaGetLastError()).
#define RIDGE_CUDA(expression) ::ridge::check((expression), #expression)
