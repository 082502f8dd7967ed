#include "tests/kernels/cuda_fake_runtime.h"

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cuda/flush.h"

namespace ridge {
namespace fake_cuda {

State& state() {
  static State s;
  return s;
}

void launch(const std::string& name, double time_s) {
  state().log.push_back((state().capturing ? "capture " : "launch ") + name);
  if (!state().capturing) state().now_s += time_s;
}

void break_capture() { state().invalidated = state().capturing; }

}  // namespace fake_cuda

namespace cuda {
L2Flusher::L2Flusher(const CudaContext&) : stream_(nullptr), blocks_(1), memory_(1) {}
void L2Flusher::enqueue() const { fake_cuda::launch("flush", 1e-4); }
}  // namespace cuda
}  // namespace ridge

using ridge::fake_cuda::state;

namespace {
template <class T>
T token() {  // a distinct, never dereferenced handle
  return reinterpret_cast<T>(new char);
}
template <class T>
void drop(T handle) {
  delete reinterpret_cast<char*>(handle);
}
}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** p, size_t) {
  if (state().malloc_fails) return cudaErrorMemoryAllocation;
  *p = new char;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  delete static_cast<char*>(p);
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t) { return "cudaErrorName"; }
const char* cudaGetErrorString(cudaError_t) { return "error text"; }
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return static_cast<cudaError_t>(std::exchange(state().fail_sync_with, 0));
}
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t) {
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }

struct FakeEvent {
  double at_s;
};
cudaError_t cudaEventCreate(cudaEvent_t* e) {
  *e = reinterpret_cast<cudaEvent_t>(new FakeEvent{0});
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  delete reinterpret_cast<FakeEvent*>(e);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t) {
  reinterpret_cast<FakeEvent*>(e)->at_s = state().now_s;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaStreamSynchronize(nullptr); }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  *ms = static_cast<float>(
      1e3 * (reinterpret_cast<FakeEvent*>(b)->at_s - reinterpret_cast<FakeEvent*>(a)->at_s));
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  state().log.push_back("begin capture");
  state().capturing = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  state().log.push_back("end capture");
  state().capturing = false;
  if (std::exchange(state().invalidated, false)) {
    *graph = nullptr;
    return cudaErrorStreamCaptureInvalidated;
  }
  ++state().live_graphs;
  *graph = token<cudaGraph_t>();
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = state().invalidated ? cudaStreamCaptureStatusInvalidated
            : state().capturing ? cudaStreamCaptureStatusActive
                                : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t, unsigned long long) {
  ++state().live_execs;
  *exec = token<cudaGraphExec_t>();
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  state().log.push_back("upload graph");
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) {
  ridge::fake_cuda::launch("graph", 1e-3);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  --state().live_graphs;
  drop(g);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) {
  --state().live_execs;
  drop(e);
  return cudaSuccess;
}

const char* cublasGetStatusString(cublasStatus_t) { return "cublas status"; }
cublasStatus_t cublasDestroy_v2(cublasHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t,
                                        cudaDataType_t) {
  *d = token<cublasLtMatmulDesc_t>();
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  drop(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t,
                                              const void*, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType, uint64_t,
                                          uint64_t, int64_t) {
  *l = token<cublasLtMatrixLayout_t>();
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
  drop(l);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t,
                                                cublasLtMatrixLayoutAttribute_t, const void*,
                                                size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
  *p = token<cublasLtMatmulPreference_t>();
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  drop(p);
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
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void*,
                              cublasLtMatrixLayout_t, const void*, cublasLtMatrixLayout_t,
                              const void*, const void*, cublasLtMatrixLayout_t, void*,
                              cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t* algo, void*,
                              size_t, cudaStream_t) {
  const auto i = static_cast<std::size_t>(algo->data[0]);
  if (state().algorithms[i].refused) return CUBLAS_STATUS_NOT_SUPPORTED;
  ++state().runs[i];
  ridge::fake_cuda::launch("matmul " + std::to_string(i), state().algorithms[i].time_s);
  return CUBLAS_STATUS_SUCCESS;
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
