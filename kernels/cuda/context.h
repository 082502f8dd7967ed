#pragma once
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <any>
#include <functional>
#include <map>
#include <string>

#include "kernels/core/backend.h"

// Opaque here, so that only files that use cuDNN include its headers.
struct cudnnContext;

namespace ridge {

// What a CUDA launch may use. Everything runs on `stream`; launches must not allocate, synchronise
// or touch another stream in enqueue(), so that they can be captured in a graph.
struct CudaContext {
  int device = 0;
  cudaDeviceProp properties{};
  cudaStream_t stream = nullptr;
  cublasHandle_t cublas = nullptr;  // bound to `stream`, with `workspace`
  cublasLtHandle_t cublaslt = nullptr;
  cudnnContext* cudnn = nullptr;  // bound to `stream`; null where cuDNN is not built in
  void* workspace = nullptr;      // shared by all launches: 32 MiB on Hopper, 4 MiB elsewhere
  std::size_t workspace_bytes = 0;
  std::map<std::string, std::any> tuned;  // choices made once per call (an algorithm), by key
  // Enqueues an L2 flush that leaves clean lines, for choices that must hold for cold operands.
  std::function<void()> flush_l2;

  int sm() const { return properties.major * 10 + properties.minor; }  // 75, 80, 86, 89, 90
};

using CudaImplementation = Implementation<CudaContext>;

}  // namespace ridge
