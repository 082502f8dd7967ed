#include "kernels/bmm/bmm.h"
#include "kernels/cuda/lt_matmul.h"

namespace ridge::bmm {
namespace {

cuda::LtMatmul problem(const Call& call) {
  const auto [b, m, n, k] = dims(call);
  return {.batch = b,
          .m = m,
          .n = n,
          .k = k,
          .dtype = call.dtype,
          .output = call.dtype,
          .right = cuda::Right::kKN};
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation lt;
  lt.op = "bmm";
  lt.name = "cublaslt";
  lt.unsupported = [](const CudaContext& context, const Call& c) {
    return cuda::lt_unsupported(context, problem(c));
  };
  lt.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    return cuda::bind_lt_matmul(context, problem(c),
                                {.a = a.inputs[0], .b = a.inputs[1], .d = a.outputs[0]});
  };
  return {lt};
}

}  // namespace ridge::bmm
