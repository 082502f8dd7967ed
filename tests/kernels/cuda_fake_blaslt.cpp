// The functions of cuBLASLt that LtProblem uses, on the host, in f32 and f64, as its documentation
// says: column-major D = alpha · op(A) · op(B) + beta · C.
#include <cublasLt.h>

#include <algorithm>
#include <cstring>

#include "tests/kernels/cuda_fake_runtime.h"

using ridge::fake_cuda::state;

namespace {

struct Product {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  cublasOperation_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
};

struct Matrix {
  cudaDataType type;
  int64_t rows, columns, ld;
  int32_t batch = 1;
  int64_t stride = 0;
};

struct Operand {
  const void* address;
  const Matrix* layout;

  template <class T>
  const T* element(int64_t batch, int64_t row, int64_t column, cublasOperation_t op) const {
    if (op == CUBLAS_OP_T) std::swap(row, column);
    return static_cast<const T*>(address) + batch * layout->stride + row + column * layout->ld;
  }
  int64_t rows(cublasOperation_t op) const {
    return op == CUBLAS_OP_T ? layout->columns : layout->rows;
  }
  int64_t columns(cublasOperation_t op) const {
    return op == CUBLAS_OP_T ? layout->rows : layout->columns;
  }
};

struct Scales {
  const void *alpha, *beta;  // of the product's scale type
};

template <class T>
cublasStatus_t multiply(const Product& p, const Scales& s, const Operand& a, const Operand& b,
                        const Operand& d) {
  constexpr bool kDouble = sizeof(T) == sizeof(double);
  constexpr cudaDataType_t kType = kDouble ? CUDA_R_64F : CUDA_R_32F;
  if (p.compute != (kDouble ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  const int64_t m = a.rows(p.op_a), k = a.columns(p.op_a), n = b.columns(p.op_b);
  const Matrix& out = *d.layout;
  for (const Operand* o : {&a, &b, &d})
    if (o->layout->type != kType || o->layout->batch != out.batch ||
        o->layout->ld < o->layout->rows)
      return CUBLAS_STATUS_NOT_SUPPORTED;
  if (b.rows(p.op_b) != k || out.rows != m || out.columns != n) return CUBLAS_STATUS_INVALID_VALUE;
  const T alpha = *static_cast<const T*>(s.alpha), beta = *static_cast<const T*>(s.beta);
  for (int64_t batch = 0; batch < out.batch; ++batch)
    for (int64_t column = 0; column < n; ++column)
      for (int64_t row = 0; row < m; ++row) {
        T sum = 0;
        for (int64_t i = 0; i < k; ++i)
          sum += *a.element<T>(batch, row, i, p.op_a) * *b.element<T>(batch, i, column, p.op_b);
        auto* to = const_cast<T*>(d.element<T>(batch, row, column, CUBLAS_OP_N));
        *to = alpha * sum + (beta == 0 ? 0 : beta * *to);
      }
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

const char* cublasGetStatusString(cublasStatus_t) { return "cublas status"; }
cublasStatus_t cublasDestroy_v2(cublasHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *d = reinterpret_cast<cublasLtMatmulDesc_t>(new Product{compute, scale});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  delete reinterpret_cast<Product*>(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t which,
                                              const void* value, size_t bytes) {
  auto* p = reinterpret_cast<Product*>(d);
  if (which == CUBLASLT_MATMUL_DESC_TRANSA) std::memcpy(&p->op_a, value, bytes);
  if (which == CUBLASLT_MATMUL_DESC_TRANSB) std::memcpy(&p->op_b, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld) {
  *l = reinterpret_cast<cublasLtMatrixLayout_t>(
      new Matrix{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), ld});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
  delete reinterpret_cast<Matrix*>(l);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l,
                                                cublasLtMatrixLayoutAttribute_t which,
                                                const void* value, size_t bytes) {
  auto* m = reinterpret_cast<Matrix*>(l);
  if (which == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT) std::memcpy(&m->batch, value, bytes);
  if (which == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET) std::memcpy(&m->stride, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
  *p = reinterpret_cast<cublasLtMatmulPreference_t>(new char);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  delete reinterpret_cast<char*>(p);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t,
                                                    const void*, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
// An algorithm is its index, in the first word of its opaque data.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int most,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* count) {
  *count = std::min(most, static_cast<int>(state().algorithms.size()));
  state().runs.assign(state().algorithms.size(), 0);
  for (int i = 0; i < *count; ++i) {
    results[i] = {};
    results[i].algo.data[0] = static_cast<uint64_t>(i);
  }
  return *count ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo,
                              void*, size_t, cudaStream_t) {
  const auto i = static_cast<std::size_t>(algo->data[0]);
  if (state().algorithms[i].refused) return CUBLAS_STATUS_NOT_SUPPORTED;
  ++state().runs[i];
  ridge::fake_cuda::launch("matmul " + std::to_string(i), state().algorithms[i].time_s);
  if (!a || c != d || c_layout != d_layout) return CUBLAS_STATUS_SUCCESS;
  const auto& product = *reinterpret_cast<Product*>(desc);
  const auto run = product.scale == CUDA_R_64F ? multiply<double> : multiply<float>;
  return run(product, {alpha, beta}, {a, reinterpret_cast<Matrix*>(a_layout)},
             {b, reinterpret_cast<Matrix*>(b_layout)}, {d, reinterpret_cast<Matrix*>(d_layout)});
}
cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t which,
                                                    void* value, size_t bytes, size_t* written) {
  std::memset(value, 0, bytes);
  if (which == CUBLASLT_ALGO_CONFIG_ID) {
    const auto id = static_cast<int32_t>(algo->data[0]);
    std::memcpy(value, &id, sizeof id);
  }
  *written = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
