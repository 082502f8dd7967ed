#include "kernels/cuda/check.h"
#include "kernels/cuda/tiny.h"

namespace ridge::cuda {
namespace {

__global__ void nothing() {}

}  // namespace

void enqueue_tiny(cudaStream_t stream) {
  nothing<<<1, 1, 0, stream>>>();
  RIDGE_CUDA(cudaGetLastError());
}

}  // namespace ridge::cuda
