#pragma once
#include <variant>

#include "kernels/cuda/device_memory.h"
#include "kernels/cuda/lt_matmul.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {

// alpha or beta, in the dtype in which cuBLASLt reads it: that of the sums.
using LtScalar = std::variant<float, double, int32_t>;

// cuBLASLt's description of an LtMatmul, and the means to run it with any algorithm.
class LtProblem {
 public:
  LtProblem(CudaContext& context, const LtMatmul& problem, const LtOperands& operands);

  // The heuristic's proposals, its favourite first; at most `most`.
  std::vector<cublasLtMatmulHeuristicResult_t> proposals(int most) const;
  cublasStatus_t enqueue(const cublasLtMatmulAlgo_t& algorithm) const;

 private:
  void set_fp8_scales(CudaContext& context);

  cublasLtHandle_t handle_;
  cudaStream_t stream_;
  void* workspace_;
  std::size_t workspace_bytes_;
  LtOperands operands_;
  bool narrow_output_;  // narrower than the accumulator
  LtScalar alpha_, beta_;
  LtMatmulDesc matmul_;
  LtLayout left_, right_, out_;
  std::shared_ptr<DeviceMemory> one_;  // f8e4m3: the scale of every tensor
};

// The fastest of the proposals, in words too.
struct LtChoice {
  cublasLtMatmulAlgo_t algorithm{};
  std::string detail;
};

// Times the proposals on the problem's operands within about 30 ms of device time. Throws BadInput
// when none runs.
LtChoice choose_algorithm(const CudaContext& context, const LtProblem& problem);

}  // namespace ridge::cuda
