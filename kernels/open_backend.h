#pragma once
#include <memory>
#include <string>

#include "kernels/core/backend.h"

namespace ridge {

// `gpu` is what --gpu takes: "auto" (the first CUDA device, else the CPU with a notice), "cpu",
// "cuda", "cuda:1", or a GPU's name ("t4", "h200"), refused when the machine's GPU is another.
// Where no CUDA device can be used, `notice` gets the reason in one line. Throws DeviceMissing when
// a GPU was asked for and is not there, BadInput for a name nobody knows.
std::unique_ptr<Backend> open_backend(const std::string& gpu, std::string* notice);

// The plugin's entry point. Returns null and writes one line to `error` where there is no usable
// device. The caller owns the backend.
extern "C" {
using OpenCudaBackend = Backend* (*)(int device, char* error, std::size_t error_bytes);
}
inline constexpr const char* kCudaPlugin = "ridge_cuda.so";
inline constexpr const char* kCudaEntry = "ridge_open_cuda_backend";

}  // namespace ridge
