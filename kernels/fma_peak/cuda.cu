#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/fma_peak/kernels.cuh"
#include "kernels/fma_peak/mma.cuh"

namespace ridge::fma_peak {
namespace {

template <class T>
std::unique_ptr<Launch> bind_fma(CudaContext& context, const Call& c, const Arguments& a) {
  const auto [chains, rounds] = dims(c);
  const int64_t per_block = int64_t{kThreads} * kChainsPerThread<T>;
  return make_launch([n = chains, r = static_cast<int>(rounds), stream = context.stream,
                      grid = static_cast<unsigned>((chains + per_block - 1) / per_block),
                      in = static_cast<const T*>(a.inputs[0]),
                      y = static_cast<float*>(a.outputs[0])] {
    fma_chains<T><<<grid, kThreads, 0, stream>>>(in, y, n, r, static_cast<float>(kFirst),
                                                 static_cast<float>(kSecond));
    RIDGE_CUDA(cudaGetLastError());
  });
}

template <Dtype dtype>
std::unique_ptr<Launch> bind_mma(CudaContext& context, const Call& c, const Arguments& a) {
  const auto [units, rounds] = dims(c);
  constexpr int64_t kPerBlock = kMmaThreads / 32;
  return make_launch(
      [n = units, r = static_cast<int>(rounds), stream = context.stream,
       grid = static_cast<unsigned>((units + kPerBlock - 1) / kPerBlock), left = a.inputs[0],
       right = a.inputs[1], d = static_cast<typename Mma<dtype>::Sum*>(a.outputs[0])] {
        mma_units<dtype><<<grid, kMmaThreads, 0, stream>>>(left, right, d, n, r);
        RIDGE_CUDA(cudaGetLastError());
      },
      "mma.sync");
}

std::string fma_unsupported(const CudaContext& context, const Call& c) {
  if (c.dtype == Dtype::kBf16 && context.sm() < 80) return "bf16 needs sm_80";
  const bool known = c.dtype == Dtype::kF32 || c.dtype == Dtype::kF16 || c.dtype == Dtype::kBf16;
  return known ? "" : "only f32, f16 and bf16";
}

std::string mma_unsupported(const CudaContext& context, const Call& c) {
  switch (c.dtype) {
    case Dtype::kF16:
    case Dtype::kInt8:
      return context.sm() >= 75 ? "" : "needs sm_75";
    case Dtype::kBf16:
    case Dtype::kTf32:
      return context.sm() >= 80 ? "" : "needs sm_80";
    case Dtype::kF8E4M3:
      return context.sm() >= 89 ? "" : "needs sm_89";
    default:
      return "tensor cores have no " + std::string(name(c.dtype));
  }
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation vector;
  vector.op = "fma_peak";
  vector.name = "ridge";
  vector.unsupported = fma_unsupported;
  vector.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF32) return bind_fma<float>(context, c, a);
    if (c.dtype == Dtype::kF16) return bind_fma<__half>(context, c, a);
    return bind_fma<__nv_bfloat16>(context, c, a);
  };
  CudaImplementation matrix;
  matrix.op = "mma_peak";
  matrix.name = "mma_sync";
  matrix.unsupported = mma_unsupported;
  matrix.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    switch (c.dtype) {
      case Dtype::kF16:
        return bind_mma<Dtype::kF16>(context, c, a);
      case Dtype::kBf16:
        return bind_mma<Dtype::kBf16>(context, c, a);
      case Dtype::kTf32:
        return bind_mma<Dtype::kTf32>(context, c, a);
      case Dtype::kInt8:
        return bind_mma<Dtype::kInt8>(context, c, a);
      default:
        return bind_mma<Dtype::kF8E4M3>(context, c, a);
    }
  };
  return {vector, matrix};
}

}  // namespace ridge::fma_peak
