#include "kernels/cuda/lt_matmul.h"
#include "kernels/gemm/gemm.h"

namespace ridge::gemm {
namespace {

cuda::LtMatmul problem(const Call& call) {
  const auto [m, n, k] = dims(call);
  return {.m = m, .n = n, .k = k, .dtype = call.dtype, .output = output_dtype(call.dtype)};
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation lt;
  lt.op = "gemm";
  lt.name = "cublaslt";
  lt.unsupported = [](const CudaContext& context, const Call& c) {
    return cuda::lt_unsupported(context, problem(c));
  };
  lt.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    const void* w = a.weights ? a.weights->plain() : a.inputs[1];
    return cuda::bind_lt_matmul(context, problem(c),
                                {.a = a.inputs[0], .b = w, .d = a.outputs[0], .bias = a.bias});
  };
  return {lt};
}

}  // namespace ridge::gemm
