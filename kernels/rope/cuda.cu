#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/rope/kernels.cuh"
#include "kernels/rope/rope.h"

namespace ridge::rope {
namespace {

template <int kWidth, class T>
void launch(const Tensors<T>& t, const Dims& d, cudaStream_t stream) {
  const auto half = static_cast<int>(d.head_dim / 2);
  const cuda::RowGrid g = cuda::row_grid(d.rows, d.heads * half / kWidth);
  rope<kWidth><<<g.grid, g.block, 0, stream>>>(t, d.rows, static_cast<int>(d.heads), half);
  RIDGE_CUDA(cudaGetLastError());
}

template <class T>
std::unique_ptr<Launch> bind(const CudaContext& context, const Dims& d, const Arguments& a) {
  const Tensors<T> t{.x = static_cast<const T*>(a.inputs[0]),
                     .positions = static_cast<const int32_t*>(a.inputs[1]),
                     .cos_sin = static_cast<const float*>(a.inputs[2]),
                     .y = static_cast<T*>(a.outputs[0])};
  constexpr int kWidth = cuda::Pack<T>::kCount;
  const cudaStream_t stream = context.stream;
  if (d.head_dim / 2 % kWidth == 0)
    return make_launch([t, d, stream] { launch<kWidth>(t, d, stream); });
  return make_launch([t, d, stream] { launch<1>(t, d, stream); });
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "rope";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF16) return bind<__half>(context, dims(c), a);
    if (c.dtype == Dtype::kBf16) return bind<__nv_bfloat16>(context, dims(c), a);
    return bind<float>(context, dims(c), a);
  };
  return {own};
}

}  // namespace ridge::rope
