#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/softmax/kernels.cuh"
#include "kernels/softmax/softmax.h"

namespace ridge::softmax {
namespace {

template <class T>
using Kernel = void (*)(const T*, T*, int64_t, int64_t);

template <class T, Reuse reuse>
Kernel<T> choose(int packs) {
  switch (packs) {
    case 1:
      return softmax_kept<T, 1, reuse>;
    case 2:
      return softmax_kept<T, 2, reuse>;
    case 4:
      return softmax_kept<T, 4, reuse>;
    default:
      return softmax_online<T>;
  }
}

template <class T>
std::unique_ptr<Launch> bind(CudaContext& context, const Call& c, const Arguments& a) {
  const auto [rows, cols] = dims(c);
  const int64_t bytes = 2 * rows * cols * static_cast<int64_t>(sizeof(T));
  const cuda::RowLaunch launch =
      cuda::row_launch(rows, cols, Pack<T>::kCount, context.properties.multiProcessorCount);
  const Kernel<T> kernel = bytes > context.properties.l2CacheSize
                               ? choose<T, Reuse::kStreaming>(launch.packs)
                               : choose<T, Reuse::kCached>(launch.packs);
  return make_launch(
      [kernel, launch, height = rows, width = cols, stream = context.stream,
       x = static_cast<const T*>(a.inputs[0]), y = static_cast<T*>(a.outputs[0])] {
        kernel<<<launch.grid, launch.block, 0, stream>>>(x, y, height, width);
        RIDGE_CUDA(cudaGetLastError());
      },
      launch.packs > 0 ? "row in registers" : "online, row read again");
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "softmax";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call& c) -> std::string {
    const bool known = c.dtype == Dtype::kF32 || c.dtype == Dtype::kF16 || c.dtype == Dtype::kBf16;
    return known ? "" : "only f32, f16 and bf16";
  };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF32) return bind<float>(context, c, a);
    if (c.dtype == Dtype::kF16) return bind<__half>(context, c, a);
    return bind<__nv_bfloat16>(context, c, a);
  };
  return {own};
}

}  // namespace ridge::softmax
