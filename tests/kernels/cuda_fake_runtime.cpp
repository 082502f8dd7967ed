#include "tests/kernels/cuda_fake_runtime.h"

#include <cuda_runtime.h>

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

}  // extern "C"
