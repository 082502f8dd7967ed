#include <algorithm>
#include <cmath>

#include "kernels/attention_decode/attention_decode.h"
#include "kernels/attention_decode/kernels.cuh"
#include "kernels/attention_decode/splits.h"
#include "kernels/attention_prefill/sdpa.h"
#include "kernels/cuda/device_memory.h"

namespace ridge::attention_decode {
namespace {

template <class T>
using Kernel = void (*)(Tensors<T>, Shape);

template <class T>
struct Instance {
  Kernel<T> attend;
  int heads;  // of a group that a block serves
  int step;   // keys
};

template <class T>
Instance<T> instance(const Dims& d) {
  return with_instance<T>(static_cast<int>(d.heads / d.kv_heads), static_cast<int>(d.head_dim),
                          [](auto team) {
                            using Own = decltype(team);
                            return Instance<T>{attend<T, Own>, Own::kHeads, keys_per_step<Own>()};
                          });
}

template <class T>
Kernel<T> merge_kernel(int64_t head_dim) {
  if (head_dim > 128) return merge_parts<T, 256>;
  return head_dim > 64 ? merge_parts<T, 128> : merge_parts<T, 64>;
}

template <class T>
std::unique_ptr<Launch> bind(CudaContext& context, const Dims& d, const Arguments& a) {
  const Instance<T> own = instance<T>(d);
  const int64_t group = d.heads / d.kv_heads, rows = d.batch * d.heads;
  int resident = 0;
  RIDGE_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, own.attend, kThreads, 0));
  const SplitProblem problem{
      .blocks = d.batch * d.kv_heads * ((group + own.heads - 1) / own.heads),
      .slots = static_cast<int64_t>(std::max(resident, 1)) * context.properties.multiProcessorCount,
      .context = d.context,
      .step = own.step};
  const Shape shape{
      .context = d.context,
      .cache_rows = cache_rows(a, d.context),
      .kv_heads = static_cast<int>(d.kv_heads),
      .group = static_cast<int>(group),
      .head_dim = static_cast<int>(d.head_dim),
      .splits = choose_splits(problem),
      .scale = static_cast<float>(std::log2(std::exp(1.0)) / std::sqrt(double(d.head_dim)))};
  Tensors<T> t{.q = static_cast<const T*>(a.inputs[0]),
               .k = static_cast<const T*>(a.inputs[1]),
               .v = static_cast<const T*>(a.inputs[2]),
               .o = static_cast<T*>(a.outputs[0]),
               .lengths = a.lengths,
               .outputs = nullptr,
               .stats = nullptr};
  std::shared_ptr<cuda::DeviceMemory> scratch;
  if (shape.splits > 1) {
    const int64_t parts = rows * shape.splits, floats = parts * (d.head_dim + 2);
    scratch = cuda::shared_scratch(context, "attention_decode", floats * int64_t{sizeof(float)});
    t.outputs = static_cast<float*>(scratch->address());
    t.stats = t.outputs + parts * d.head_dim;
  }
  const auto blocks = static_cast<unsigned>(problem.blocks * shape.splits);
  return make_launch(
      [t, shape, scratch, blocks, rows, stream = context.stream, attend_kernel = own.attend,
       merge = merge_kernel<T>(d.head_dim)] {
        attend_kernel<<<blocks, kThreads, 0, stream>>>(t, shape);
        RIDGE_CUDA(cudaGetLastError());
        if (shape.splits == 1) return;
        merge<<<static_cast<unsigned>(rows), kMergeThreads, 0, stream>>>(t, shape);
        RIDGE_CUDA(cudaGetLastError());
      },
      "splits " + std::to_string(shape.splits) + ", " + std::to_string(own.heads) +
          " heads a block, " + std::to_string(resident) + " blocks an SM");
}

std::string unsupported(const CudaContext&, const Call& c) {
  const Dims d = dims(c);
  if (d.head_dim > 256) return "head_dim " + std::to_string(d.head_dim) + " is above 256";
  if (d.batch * d.heads > 1 << 22) return "more than 4194304 rows";  // blocks · splits < 2^31
  return "";
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "attention_decode";
  own.name = "ridge";
  own.unsupported = unsupported;
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF16) return bind<__half>(context, dims(c), a);
    if (c.dtype == Dtype::kBf16) return bind<__nv_bfloat16>(context, dims(c), a);
    return bind<float>(context, dims(c), a);
  };
  CudaImplementation cudnn = attention_prefill::cudnn_sdpa("attention_decode", [](const Call& c) {
    const Dims d = dims(c);
    return attention_prefill::Dims{d.batch, 1, d.context, d.heads, d.kv_heads, d.head_dim};
  });
  return {own, cudnn};
}

}  // namespace ridge::attention_decode
