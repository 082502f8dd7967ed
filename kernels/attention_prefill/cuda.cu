#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/attention_prefill/kernels.cuh"
#include "kernels/attention_prefill/sdpa.h"
#include "kernels/attention_prefill/unfused.h"
#include "kernels/cuda/device_memory.h"

namespace ridge::attention_prefill {
namespace {

float log2_scale(const Dims& d) {
  return static_cast<float>(std::log2(std::exp(1.0)) / std::sqrt(double(d.head_dim)));
}

template <class T>
Tensors<T> tensors(const Arguments& a) {
  return {static_cast<const T*>(a.inputs[0]), static_cast<const T*>(a.inputs[1]),
          static_cast<const T*>(a.inputs[2]), static_cast<T*>(a.outputs[0])};
}

template <class T>
std::unique_ptr<Launch> bind_simt(CudaContext& context, const Dims& d, const Arguments& a) {
  const Tensors<T> t = tensors<T>(a);
  const Shape shape{.seq = d.seq,
                    .kv_len = d.kv_len,
                    .cache_rows = cache_rows(a, d.kv_len),
                    .heads = static_cast<int>(d.heads),
                    .group = static_cast<int>(d.heads / d.kv_heads),
                    .head_dim = static_cast<int>(d.head_dim),
                    .scale = log2_scale(d)};
  return with_instance<T>(shape.head_dim, [&](auto tile) -> std::unique_ptr<Launch> {
    using Own = decltype(tile);
    auto* kernel = attend<T, Own>;
    const std::size_t shared = Own::shared_bytes(shape.head_dim);
    RIDGE_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared)));
    const int64_t tiles = (d.seq + Own::kRows - 1) / Own::kRows;
    const auto blocks = static_cast<unsigned>(d.batch * d.heads * tiles);
    return make_launch(
        [=, stream = context.stream] {
          kernel<<<blocks, kThreads, shared, stream>>>(t, shape);
          RIDGE_CUDA(cudaGetLastError());
        },
        std::to_string(Own::kRows) + " queries × " + std::to_string(Own::kKeys) + " keys a tile");
  });
}

template <class T>
constexpr cudaDataType_t kCublasType = CUDA_R_32F;
template <>
constexpr cudaDataType_t kCublasType<__half> = CUDA_R_16F;
template <>
constexpr cudaDataType_t kCublasType<__nv_bfloat16> = CUDA_R_16BF;

// Addresses of the matrices of each head, in device memory as the batched products want them:
// Q, K, V, O, scores, each [heads of a step].
class PointerTable {
 public:
  template <class T>
  PointerTable(const Dims& d, int64_t cache_rows, const Tensors<T>& t, T* scores,
               const std::vector<UnfusedStep>& steps)
      : memory_(bytes(steps)) {
    std::vector<const void*> all;
    for (const UnfusedStep& s : steps)
      for (int matrix = 0; matrix < 5; ++matrix)
        for (int64_t h = s.first_head; h < s.first_head + s.heads; ++h) {
          const int64_t batch = h / d.heads, head = h % d.heads;
          const int64_t row = (batch * d.seq + s.first_query) * d.heads + head;
          const int64_t cache = batch * d.kv_heads + head / (d.heads / d.kv_heads);
          const void* of_matrix[]{t.q + row * d.head_dim, t.k + cache * cache_rows * d.head_dim,
                                  t.v + cache * cache_rows * d.head_dim, t.o + row * d.head_dim,
                                  scores + (h - s.first_head) * s.queries * s.stride};
          all.push_back(of_matrix[matrix]);
        }
    RIDGE_CUDA(cudaMemcpy(memory_.address(), all.data(), all.size() * sizeof(void*),
                          cudaMemcpyHostToDevice));
  }
  void** data() const { return static_cast<void**>(memory_.address()); }

 private:
  static int64_t bytes(const std::vector<UnfusedStep>& steps) {
    int64_t heads = 0;
    for (const UnfusedStep& s : steps) heads += s.heads;
    return heads * 5 * static_cast<int64_t>(sizeof(void*));
  }
  cuda::DeviceMemory memory_;
};

template <class T>
void run_step(cublasHandle_t cublas, cudaStream_t stream, const Dims& d, const UnfusedStep& s,
              void** table, T* scores) {
  void *const *q = table, *const *k = q + s.heads, *const *v = k + s.heads, *const *o = v + s.heads,
              *const *p = o + s.heads;
  const auto i = [](int64_t x) { return static_cast<int>(x); };
  const float scale = log2_scale(d), one = 1, zero = 0;
  // cuBLAS counts columns first: what is row-major here is its transpose there.
  RIDGE_CUDA(cublasGemmBatchedEx(cublas, CUBLAS_OP_T, CUBLAS_OP_N, i(s.keys), i(s.queries),
                                 i(d.head_dim), &scale, k, kCublasType<T>, i(d.head_dim), q,
                                 kCublasType<T>, i(d.heads * d.head_dim), &zero, p, kCublasType<T>,
                                 i(s.stride), i(s.heads), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
  const ScoreRows rows{
      .rows = i(s.queries), .stride = s.stride, .first_visible = visible_keys(d, s.first_query)};
  const dim3 grid(static_cast<unsigned>(s.queries), static_cast<unsigned>(s.heads));
  softmax_visible<<<grid, kSoftmaxThreads, 0, stream>>>(scores, rows);
  RIDGE_CUDA(cudaGetLastError());
  RIDGE_CUDA(cublasGemmBatchedEx(
      cublas, CUBLAS_OP_N, CUBLAS_OP_N, i(d.head_dim), i(s.queries), i(s.keys), &one, v,
      kCublasType<T>, i(d.head_dim), p, kCublasType<T>, i(s.stride), &zero, o, kCublasType<T>,
      i(d.heads * d.head_dim), i(s.heads), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
}

template <class T>
std::unique_ptr<Launch> bind_unfused(CudaContext& context, const Dims& d, const Arguments& a) {
  constexpr int64_t kScratchBytes = int64_t{512} << 20;
  const auto size = static_cast<int64_t>(sizeof(T));
  const auto steps = unfused_steps(d, kScratchBytes / size);
  int64_t elements = 0;
  for (const UnfusedStep& s : steps) elements = std::max(elements, s.heads * s.queries * s.stride);
  const auto scratch = cuda::shared_scratch(context, "attention_prefill", elements * size);
  T* scores = static_cast<T*>(scratch->address());
  const auto table =
      std::make_shared<PointerTable>(d, cache_rows(a, d.kv_len), tensors<T>(a), scores, steps);
  return make_launch(
      [=, cublas = context.cublas, stream = context.stream] {
        void** pointers = table->data();
        for (const UnfusedStep& s : steps) {
          run_step(cublas, stream, d, s, pointers, scores);
          pointers += 5 * s.heads;
        }
        (void)scratch;  // kept alive
      },
      "steps " + std::to_string(steps.size()) + ", scores " +
          std::to_string(elements * size >> 20) + " MiB");
}

template <class F>
CudaImplementation implementation(std::string name, F unsupported) {
  CudaImplementation i;
  i.op = "attention_prefill";
  i.name = std::move(name);
  i.unsupported = unsupported;
  return i;
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  auto unfused = implementation("cublas_unfused", [](const CudaContext& context, const Call& c) {
    const bool bf16 = c.dtype == Dtype::kBf16;
    return std::string(bf16 && context.sm() < 80 ? "bf16 products need sm_80" : "");
  });
  unfused.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF16) return bind_unfused<__half>(context, dims(c), a);
    if (c.dtype == Dtype::kBf16) return bind_unfused<__nv_bfloat16>(context, dims(c), a);
    return bind_unfused<float>(context, dims(c), a);
  };
  auto simt = implementation("ridge_simt", [](const CudaContext&, const Call& c) {
    const Dims d = dims(c);
    if (d.head_dim > 256) return "head_dim " + std::to_string(d.head_dim) + " is above 256";
    const bool fits = d.batch * d.heads * (d.seq / 32 + 1) < int64_t{1} << 31;
    return std::string(fits ? "" : "more blocks than a grid has");
  });
  simt.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    if (c.dtype == Dtype::kF16) return bind_simt<__half>(context, dims(c), a);
    if (c.dtype == Dtype::kBf16) return bind_simt<__nv_bfloat16>(context, dims(c), a);
    return bind_simt<float>(context, dims(c), a);
  };
  return {cudnn_sdpa("attention_prefill", dims), unfused, simt};
}

}  // namespace ridge::attention_prefill
