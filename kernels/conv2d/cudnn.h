#pragma once
// cuDNN's legacy API (convolutions and RNNs); include only where RIDGE_HAVE_CUDNN is defined.
#include <cudnn.h>

#include <string>

#include "kernels/cuda/check.h"
#include "kernels/cuda/owned.h"

namespace ridge {

// As for cudaError_t; a shape that cuDNN cannot run is a std::runtime_error with its own words.
inline void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  check(cudaGetLastError(), what);  // where CUDA is to blame it says more
  const std::string text = std::string(what) + ": " + cudnnGetErrorString(status);
  if (status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
      status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
    throw OutOfMemory(text);
  throw std::runtime_error(text);
}

namespace cuda {

using CudnnTensor = Owned<cudnnTensorDescriptor_t, &cudnnDestroyTensorDescriptor>;
using CudnnFilter = Owned<cudnnFilterDescriptor_t, &cudnnDestroyFilterDescriptor>;
using CudnnConvolution = Owned<cudnnConvolutionDescriptor_t, &cudnnDestroyConvolutionDescriptor>;
using CudnnRnn = Owned<cudnnRNNDescriptor_t, &cudnnDestroyRNNDescriptor>;
using CudnnRnnData = Owned<cudnnRNNDataDescriptor_t, &cudnnDestroyRNNDataDescriptor>;
using CudnnDropout = Owned<cudnnDropoutDescriptor_t, &cudnnDestroyDropoutDescriptor>;

// f32 and tf32 are both stored as f32.
inline cudnnDataType_t cudnn_type(Dtype t) {
  return t == Dtype::kF16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
}

// f32 means f32: TF32 is only what asks for it.
inline cudnnMathType_t cudnn_math(Dtype t) {
  if (t == Dtype::kF32) return CUDNN_FMA_MATH;
  return t == Dtype::kTf32 ? CUDNN_DEFAULT_MATH : CUDNN_TENSOR_OP_MATH;
}

}  // namespace cuda
}  // namespace ridge

#define RIDGE_CUDNN(expression) ::ridge::check((expression), #expression)
