#include "kernels/cuda/lt_matmul.h"

#include <fmt/format.h>

#include "kernels/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lt_problem.h"

namespace ridge::cuda {
namespace {

cudaDataType_t data_type(Dtype t) {
  switch (t) {
    case Dtype::kF32:
    case Dtype::kTf32:
      return CUDA_R_32F;
    case Dtype::kF16:
      return CUDA_R_16F;
    case Dtype::kBf16:
      return CUDA_R_16BF;
    case Dtype::kF8E4M3:
      return CUDA_R_8F_E4M3;
    case Dtype::kInt8:
      return CUDA_R_8I;
    case Dtype::kInt32:
      return CUDA_R_32I;
    case Dtype::kF64:
      return CUDA_R_64F;
  }
  throw BadInput("unknown dtype");
}

cublasComputeType_t compute_type(Dtype t) {
  if (t == Dtype::kInt8) return CUBLAS_COMPUTE_32I;
  if (t == Dtype::kF64) return CUBLAS_COMPUTE_64F;
  return t == Dtype::kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cudaDataType_t scale_type(Dtype t) {
  if (t == Dtype::kInt8) return CUDA_R_32I;
  return t == Dtype::kF64 ? CUDA_R_64F : CUDA_R_32F;
}

LtScalar scalar(Dtype t, float value) {
  if (t == Dtype::kInt8) return static_cast<int32_t>(value);
  if (t == Dtype::kF64) return static_cast<double>(value);
  return value;
}

const void* address(const LtScalar& s) {
  return std::visit([](const auto& value) -> const void* { return &value; }, s);
}

template <class T>
void set(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t which, T value) {
  RIDGE_CUDA(cublasLtMatmulDescSetAttribute(desc, which, &value, sizeof value));
}

template <class T>
void set(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t which, T value) {
  RIDGE_CUDA(cublasLtMatrixLayoutSetAttribute(layout, which, &value, sizeof value));
}

template <class T>
void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t which,
         T value) {
  RIDGE_CUDA(cublasLtMatmulPreferenceSetAttribute(preference, which, &value, sizeof value));
}

// A column-major matrix without padding: its leading dimension is its row count.
struct Shape {
  int64_t rows, columns, batch;
};

LtLayout layout(Dtype dtype, const Shape& s) {
  LtLayout l;
  RIDGE_CUDA(cublasLtMatrixLayoutCreate(l.out(), data_type(dtype), static_cast<uint64_t>(s.rows),
                                        static_cast<uint64_t>(s.columns), s.rows));
  if (s.batch > 1) {
    set(l.get(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(s.batch));
    set(l.get(), CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, s.rows * s.columns);
  }
  return l;
}

}  // namespace

// Row-major D[m,n] is column-major D^T[n,m] = B^T · A^T, so B comes first. W[n,k] is column-major
// [k,n] and is transposed (the TN product, the only one fp8 and int8 have); B[k,n] is [n,k] as is.
LtProblem::LtProblem(CudaContext& context, const LtMatmul& p, const LtOperands& operands)
    : handle_(context.cublaslt),
      stream_(context.stream),
      workspace_(context.workspace),
      workspace_bytes_(context.workspace_bytes),
      operands_(operands),
      narrow_output_(bytes_per_element(p.output) < 4),
      alpha_(scalar(p.dtype, p.scale)),
      beta_(scalar(p.dtype, 0)) {
  RIDGE_CUDA(cublasLtMatmulDescCreate(matmul_.out(), compute_type(p.dtype), scale_type(p.dtype)));
  const bool transposed = p.right == Right::kNK;
  set(matmul_.get(), CUBLASLT_MATMUL_DESC_TRANSA, transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(matmul_.get(), CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  left_ =
      layout(p.dtype,
             {.rows = transposed ? p.k : p.n, .columns = transposed ? p.n : p.k, .batch = p.batch});
  right_ = layout(p.dtype, {.rows = p.k, .columns = p.m, .batch = p.batch});
  out_ = layout(p.output, {.rows = p.n, .columns = p.m, .batch = p.batch});
  if (p.dtype == Dtype::kF8E4M3) set_fp8_scales(context);
  if (operands.bias) {
    set(matmul_.get(), CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(matmul_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, operands.bias);
  }
}

void LtProblem::set_fp8_scales(CudaContext& context) {
  std::any& slot = context.tuned["fp8 scale 1.0"];
  if (!slot.has_value()) {
    auto memory = std::make_shared<DeviceMemory>(static_cast<int64_t>(sizeof(float)));
    const float one = 1;
    RIDGE_CUDA(
        cudaMemcpyAsync(memory->address(), &one, sizeof one, cudaMemcpyHostToDevice, stream_));
    RIDGE_CUDA(cudaStreamSynchronize(stream_));
    slot = memory;
  }
  one_ = std::any_cast<std::shared_ptr<DeviceMemory>>(slot);
  const void* scale = one_->address();
  set(matmul_.get(), CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, scale);
  set(matmul_.get(), CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, scale);
}

std::vector<cublasLtMatmulHeuristicResult_t> LtProblem::proposals(int most) const {
  LtPreference preference;
  RIDGE_CUDA(cublasLtMatmulPreferenceCreate(preference.out()));
  set(preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
      static_cast<uint64_t>(workspace_bytes_));
  // Split-K may add its parts in the output's dtype; below f32 that is not f32 accumulation.
  const uint32_t reductions =
      narrow_output_ ? CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE : CUBLASLT_REDUCTION_SCHEME_MASK;
  set(preference.get(), CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle_, matmul_.get(), left_.get(), right_.get(), out_.get(),
                                     out_.get(), preference.get(), most, found.data(), &count);
  if (status != CUBLAS_STATUS_SUCCESS && status != CUBLAS_STATUS_NOT_SUPPORTED)
    check(status, "cublasLtMatmulAlgoGetHeuristic");
  found.resize(static_cast<std::size_t>(count));
  std::erase_if(found, [](const auto& f) { return f.state != CUBLAS_STATUS_SUCCESS; });
  return found;
}

cublasStatus_t LtProblem::enqueue(const cublasLtMatmulAlgo_t& algorithm) const {
  return cublasLtMatmul(handle_, matmul_.get(), address(alpha_), operands_.b, left_.get(),
                        operands_.a, right_.get(), address(beta_), operands_.d, out_.get(),
                        operands_.d, out_.get(), &algorithm, workspace_, workspace_bytes_, stream_);
}

namespace {

class LtLaunch final : public Launch {
 public:
  LtLaunch(std::unique_ptr<LtProblem> problem, LtChoice choice)
      : problem_(std::move(problem)), choice_(std::move(choice)) {}
  void enqueue() override { check(problem_->enqueue(choice_.algorithm), "cublasLtMatmul"); }
  std::string detail() const override { return choice_.detail; }

 private:
  std::unique_ptr<LtProblem> problem_;
  LtChoice choice_;
};

}  // namespace

std::unique_ptr<Launch> bind_lt_matmul(CudaContext& context, const LtMatmul& p,
                                       const LtOperands& operands) {
  auto problem = std::make_unique<LtProblem>(context, p, operands);
  const std::string key =
      fmt::format("lt {} {} {} {} {} {} {}{}", p.batch, p.m, p.n, p.k, name(p.dtype),
                  name(p.output), static_cast<int>(p.right), operands.bias ? " bias" : "");
  std::any& slot = context.tuned[key];
  if (!slot.has_value()) slot = choose_algorithm(context, *problem);
  return std::make_unique<LtLaunch>(std::move(problem), std::any_cast<const LtChoice&>(slot));
}

}  // namespace ridge::cuda
