#include "kernels/cuda/check.h"
#include "kernels/fma_peak/cuda_mma.h"
#include "kernels/fma_peak/mma.cuh"
#include "kernels/fma_peak/mma_f64.cuh"

namespace ridge::fma_peak {
namespace {

template <class I>
std::unique_ptr<Launch> bind_units(CudaContext& context, const Call& c, const Arguments& a) {
  const auto [units, rounds] = unit_dims(c);
  constexpr int64_t kPerBlock = kMmaThreads / 32;
  return make_launch(
      [n = units, r = static_cast<int>(rounds), stream = context.stream,
       grid = static_cast<unsigned>((units + kPerBlock - 1) / kPerBlock), left = a.inputs[0],
       right = a.inputs[1], d = static_cast<typename I::Sum*>(a.outputs[0])] {
        mma_units<I><<<grid, kMmaThreads, 0, stream>>>(left, right, d, n, r);
        RIDGE_CUDA(cudaGetLastError());
      },
      "mma.sync");
}

std::unique_ptr<Launch> bind_f64(CudaContext& context, const Call& c, const Arguments& a) {
  const auto [units, rounds] = unit_dims(c);
  constexpr int64_t kPerBlock = kF64Threads / 32;
  return make_launch(
      [n = units, r = static_cast<int>(rounds), stream = context.stream,
       grid = static_cast<unsigned>((units + kPerBlock - 1) / kPerBlock),
       left = static_cast<const double*>(a.inputs[0]),
       right = static_cast<const double*>(a.inputs[1]), d = static_cast<double*>(a.outputs[0])] {
        mma_units_f64<<<grid, kF64Threads, 0, stream>>>(left, right, d, n, r);
        RIDGE_CUDA(cudaGetLastError());
      },
      "mma.sync");
}

std::unique_ptr<Launch> bind(CudaContext& context, const Call& c, const Arguments& a) {
  switch (c.dtype) {
    case Dtype::kF64:
      return bind_f64(context, c, a);
    case Dtype::kF16:
      return bind_units<Mma<Dtype::kF16>>(context, c, a);
    case Dtype::kBf16:
      return bind_units<Mma<Dtype::kBf16>>(context, c, a);
    case Dtype::kTf32:
      return bind_units<Mma<Dtype::kTf32>>(context, c, a);
    case Dtype::kInt8:
      return bind_units<Mma<Dtype::kInt8>>(context, c, a);
    default:
      return bind_units<Mma<Dtype::kF8E4M3>>(context, c, a);
  }
}

std::string unsupported(const CudaContext& context, const Call& c) {
  const int sm = context.sm();
  switch (c.dtype) {
    case Dtype::kF16:
    case Dtype::kInt8:
      return sm >= 75 ? "" : "needs sm_75";
    case Dtype::kBf16:
    case Dtype::kTf32:
      return sm >= 80 ? "" : "needs sm_80";
    case Dtype::kF8E4M3:
      return sm >= 89 ? "" : "needs sm_89";
    case Dtype::kF64:  // elsewhere its instructions run on the few f64 units
      return sm == 80 || sm == 90 ? "" : "only sm_80 and sm_90 have f64 tensor cores";
    default:
      return "tensor cores have no " + std::string(name(c.dtype));
  }
}

}  // namespace

std::vector<CudaImplementation> mma_sync_implementations() {
  CudaImplementation plain;
  plain.op = "mma_peak";
  plain.name = "mma_sync";
  plain.unsupported = unsupported;
  plain.bind = bind;
  CudaImplementation half;
  half.op = "mma_peak";
  half.name = kF16Accumulate;
  half.unsupported = [](const CudaContext& context, const Call& c) -> std::string {
    return c.dtype == Dtype::kF16 ? unsupported(context, c) : "only f16";
  };
  half.bind = bind_units<MmaF16Sums>;
  return {plain, half};
}

}  // namespace ridge::fma_peak
