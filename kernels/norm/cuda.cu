#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/norm/kernels.cuh"

namespace ridge::norm {
namespace {

template <class T>
using Kernel = void (*)(Tensors<T>);

template <Norm norm, class T, Reuse reuse>
Kernel<T> choose(int packs) {
  switch (packs) {
    case 1:
      return normalise<norm, T, 1, reuse>;
    case 2:
      return normalise<norm, T, 2, reuse>;
    case 4:
      return normalise<norm, T, 4, reuse>;
    default:
      return normalise<norm, T, 0, reuse>;
  }
}

template <Norm norm, class T>
Tensors<T> tensors(const Call& c, const Arguments& a) {
  const auto in = [&](std::size_t i) { return static_cast<const T*>(a.inputs[i]); };
  const auto [rows, cols] = dims(c);
  const bool add = norm == Norm::kAddRms;
  return {.x = in(0),
          .residual = add ? in(1) : nullptr,
          .w = in(add ? 2 : 1),
          .bias = norm == Norm::kLayer ? in(2) : nullptr,
          .y = static_cast<T*>(a.outputs[0]),
          .sum = add ? static_cast<T*>(a.outputs[1]) : nullptr,
          .rows = rows,
          .cols = cols,
          .epsilon = static_cast<float>(a.epsilon)};
}

template <Norm norm, class T>
std::unique_ptr<Launch> bind(CudaContext& context, const Call& c, const Arguments& a) {
  const Tensors<T> t = tensors<norm, T>(c, a);
  const int64_t bytes =
      t.rows * t.cols * static_cast<int64_t>(sizeof(T)) * (norm == Norm::kAddRms ? 4 : 2);
  const cuda::RowLaunch launch =
      cuda::row_launch(t.rows, t.cols, Pack<T>::kCount, context.properties.multiProcessorCount);
  const Kernel<T> kernel = bytes > context.properties.l2CacheSize
                               ? choose<norm, T, Reuse::kStreaming>(launch.packs)
                               : choose<norm, T, Reuse::kCached>(launch.packs);
  return make_launch(
      [=, stream = context.stream] {
        kernel<<<launch.grid, launch.block, 0, stream>>>(t);
        RIDGE_CUDA(cudaGetLastError());
      },
      launch.packs > 0 ? "row in registers" : "row read again");
}

template <Norm norm>
CudaImplementation implementation(const char* op) {
  CudaImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call& c) -> std::string {
    const bool known = c.dtype == Dtype::kF32 || c.dtype == Dtype::kF16 || c.dtype == Dtype::kBf16;
    return known ? "" : "only f32, f16 and bf16";
  };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF32) return bind<norm, float>(context, c, a);
    if (c.dtype == Dtype::kF16) return bind<norm, __half>(context, c, a);
    return bind<norm, __nv_bfloat16>(context, c, a);
  };
  return own;
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  return {implementation<Norm::kRms>("rmsnorm"), implementation<Norm::kAddRms>("add_rmsnorm"),
          implementation<Norm::kLayer>("layernorm")};
}

}  // namespace ridge::norm
