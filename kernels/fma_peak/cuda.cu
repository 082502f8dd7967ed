#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/fma_peak/cuda_mma.h"
#include "kernels/fma_peak/kernels.cuh"

namespace ridge::fma_peak {
namespace {

template <class T, int kIlp>
std::unique_ptr<Launch> bind_chains(CudaContext& context, const Call& c, const Arguments& a) {
  using L = Lane<T>;
  const auto [chains, rounds, ilp] = chain_dims(c);
  constexpr int64_t kPerBlock = int64_t{kThreads} * kIlp * L::kChains;
  return make_launch([n = chains, r = static_cast<int>(rounds), stream = context.stream,
                      grid = static_cast<unsigned>((chains + kPerBlock - 1) / kPerBlock),
                      in = static_cast<const T*>(a.inputs[0]),
                      y = static_cast<typename L::Out*>(a.outputs[0])] {
    fma_chains<T, kIlp><<<grid, kThreads, 0, stream>>>(in, y, n, r, L::kM, L::kD1, L::kD2);
    RIDGE_CUDA(cudaGetLastError());
  });
}

template <class T>
std::unique_ptr<Launch> bind_fma(CudaContext& context, const Call& c, const Arguments& a) {
  switch (chain_dims(c).ilp) {
    case 1:
      return bind_chains<T, 1>(context, c, a);
    case 2:
      return bind_chains<T, 2>(context, c, a);
    case 4:
      return bind_chains<T, 4>(context, c, a);
    case 8:
      return bind_chains<T, 8>(context, c, a);
    case 12:
      return bind_chains<T, 12>(context, c, a);
    default:
      return bind_chains<T, 16>(context, c, a);
  }
}

std::unique_ptr<Launch> bind(CudaContext& context, const Call& c, const Arguments& a) {
  switch (c.dtype) {
    case Dtype::kF64:
      return bind_fma<double>(context, c, a);
    case Dtype::kF16:
      return bind_fma<__half>(context, c, a);
    case Dtype::kBf16:
      return bind_fma<__nv_bfloat16>(context, c, a);
    case Dtype::kInt32:
      return bind_fma<int32_t>(context, c, a);
    case Dtype::kInt8:
      return bind_fma<int8_t>(context, c, a);
    default:
      return bind_fma<float>(context, c, a);
  }
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation vector;
  vector.op = "fma_peak";
  vector.name = "ridge";
  vector.unsupported = [](const CudaContext& context, const Call& c) -> std::string {
    return c.dtype == Dtype::kBf16 && context.sm() < 80 ? "bf16 needs sm_80" : "";
  };
  vector.bind = bind;
  std::vector<CudaImplementation> all{vector};
#if defined(RIDGE_SM90A)
  all.push_back(wgmma_implementation());
#endif
  for (CudaImplementation& matrix : mma_sync_implementations()) all.push_back(std::move(matrix));
  return all;
}

}  // namespace ridge::fma_peak
