#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/kernels.cuh"

namespace ridge::elementwise {
namespace {

unsigned blocks(int64_t pieces, int unroll) {
  const int64_t per_block = int64_t{kThreads} * unroll;
  return static_cast<unsigned>((pieces + per_block - 1) / per_block);
}

// A call whose tensors do not fit the L2 together gains nothing from leaving them there.
Reuse reuse_of(const CudaContext& context, int64_t bytes) {
  return bytes > context.properties.l2CacheSize ? Reuse::kStreaming : Reuse::kCached;
}

template <class F, class T>
std::unique_ptr<Launch> bind_map(CudaContext& context, const Call& c, const Arguments& arguments) {
  const auto [rows, cols] = dims(c);
  const int64_t count = rows * cols;
  const int64_t bytes = count * static_cast<int64_t>(sizeof(T)) * (F::kInputs + 1);
  const auto kernel = reuse_of(context, bytes) == Reuse::kStreaming
                          ? map_flat<F, T, Reuse::kStreaming>
                          : map_flat<F, T, Reuse::kCached>;
  const int64_t packs = (count + Pack<T>::kCount - 1) / Pack<T>::kCount;
  return make_launch([kernel, count, grid = blocks(packs, kUnroll<F>), stream = context.stream,
                      a = static_cast<const T*>(arguments.inputs.front()),
                      b = static_cast<const T*>(arguments.inputs.back()),
                      y = static_cast<T*>(arguments.outputs[0])] {
    kernel<<<grid, kThreads, 0, stream>>>(a, b, y, count);
    RIDGE_CUDA(cudaGetLastError());
  });
}

template <class T>
std::unique_ptr<Launch> bind_silu_mul(CudaContext& context, const Call& c,
                                      const Arguments& arguments) {
  const auto [rows, cols] = dims(c);
  constexpr int kCount = Pack<T>::kCount;
  const bool packed = cols % kCount == 0;
  const int64_t bytes = 3 * rows * cols * static_cast<int64_t>(sizeof(T));
  const auto kernel = !packed ? silu_mul<T, 1, Reuse::kCached>
                      : reuse_of(context, bytes) == Reuse::kStreaming
                          ? silu_mul<T, kCount, Reuse::kStreaming>
                          : silu_mul<T, kCount, Reuse::kCached>;
  const unsigned grid = blocks(rows * cols / (packed ? kCount : 1), kUnroll<SiluMul>);
  return make_launch(
      [kernel, grid, height = rows, width = cols, stream = context.stream,
       x = static_cast<const T*>(arguments.inputs[0]), y = static_cast<T*>(arguments.outputs[0])] {
        kernel<<<grid, kThreads, 0, stream>>>(x, y, height, width);
        RIDGE_CUDA(cudaGetLastError());
      },
      packed ? "" : "single elements: cols is no multiple of 16 bytes");
}

using Bind = std::unique_ptr<Launch> (*)(CudaContext&, const Call&, const Arguments&);

CudaImplementation implementation(const char* op, Bind f32, Bind f16, Bind bf16) {
  CudaImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call& c) -> std::string {
    const bool known = c.dtype == Dtype::kF32 || c.dtype == Dtype::kF16 || c.dtype == Dtype::kBf16;
    return known ? "" : "only f32, f16 and bf16";
  };
  own.bind = [=](CudaContext& context, const Call& c, const Arguments& a) {
    const Bind bind = c.dtype == Dtype::kF32 ? f32 : c.dtype == Dtype::kF16 ? f16 : bf16;
    return bind(context, c, a);
  };
  return own;
}

template <class F>
CudaImplementation map_implementation(const char* op) {
  return implementation(op, bind_map<F, float>, bind_map<F, __half>, bind_map<F, __nv_bfloat16>);
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  return {map_implementation<Add>("add"),
          map_implementation<Mul>("mul"),
          map_implementation<Silu>("silu"),
          map_implementation<Gelu>("gelu"),
          map_implementation<Copy>("copy"),
          implementation("silu_mul", bind_silu_mul<float>, bind_silu_mul<__half>,
                         bind_silu_mul<__nv_bfloat16>)};
}

}  // namespace ridge::elementwise
