#include "tests/kernels/cuda_fake_runtime.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "kernels/cuda/flush.h"
#include "kernels/cuda/tiny.h"

namespace ridge {
namespace fake_cuda {

State& state() {
  static State s;
  return s;
}

// Where the stream is in time, or in the capture that is going on.
static double& clock_of(const void* stream) {
  if (state().capturing) return state().captured_s[stream];
  return stream ? state().streams_s[stream] : state().now_s;
}

void launch(const std::string& name, double time_s, const void* stream) {
  state().log.push_back((state().capturing ? "capture " : "launch ") + name);
  clock_of(stream) += time_s;
}

void break_capture() { state().invalidated = state().capturing; }

}  // namespace fake_cuda

namespace cuda {
L2Flusher::L2Flusher(const CudaContext&) : stream_(nullptr), blocks_(1), memory_(1) {}
void L2Flusher::enqueue() const { fake_cuda::launch("flush", 1e-4); }
void enqueue_tiny(cudaStream_t stream) {
  fake_cuda::launch("tiny", fake_cuda::state().tiny_s, stream);
}
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
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind kind, cudaStream_t stream) {
  ridge::fake_cuda::launch(kind == cudaMemcpyHostToDevice ? "copy to device" : "copy to host",
                           state().copy_s, stream);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) {
  if (state().host_malloc_fails) return cudaErrorMemoryAllocation;
  ++state().live_host;
  *p = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  --state().live_host;
  std::free(p);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  ++state().live_streams;
  *stream = token<cudaStream_t>();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  --state().live_streams;
  state().streams_s.erase(stream);
  drop(stream);
  return cudaSuccess;
}

struct FakeEvent {
  double at_s;
};
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  ++state().live_events;
  *e = reinterpret_cast<cudaEvent_t>(new FakeEvent{0});
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  --state().live_events;
  delete reinterpret_cast<FakeEvent*>(e);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t stream) {
  double& now_s = ridge::fake_cuda::clock_of(stream);
  now_s += state().event_s;
  reinterpret_cast<FakeEvent*>(e)->at_s = now_s;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t e, unsigned) {
  double& now_s = ridge::fake_cuda::clock_of(stream);
  now_s = std::max(now_s, reinterpret_cast<FakeEvent*>(e)->at_s);
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaStreamSynchronize(nullptr); }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  *ms = static_cast<float>(
      1e3 * (reinterpret_cast<FakeEvent*>(b)->at_s - reinterpret_cast<FakeEvent*>(a)->at_s));
  return cudaSuccess;
}

// A graph, and what is made of it, is the time of its longest path.
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  state().log.push_back("begin capture");
  state().capturing = true;
  state().captured_s.clear();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  state().log.push_back("end capture");
  state().capturing = false;
  *graph = nullptr;
  if (std::exchange(state().invalidated, false)) return cudaErrorStreamCaptureInvalidated;
  const double end_s = state().captured_s[stream];
  for (const auto& [other, at_s] : state().captured_s)  // what nothing waits for
    if (at_s > end_s) return cudaErrorStreamCaptureUnjoined;
  ++state().live_graphs;
  *graph = reinterpret_cast<cudaGraph_t>(new double(end_s));
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = state().invalidated ? cudaStreamCaptureStatusInvalidated
            : state().capturing ? cudaStreamCaptureStatusActive
                                : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  ++state().live_execs;
  *exec = reinterpret_cast<cudaGraphExec_t>(new double(*reinterpret_cast<double*>(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  state().log.push_back("upload graph");
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  ridge::fake_cuda::launch("graph", *reinterpret_cast<double*>(exec), stream);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  --state().live_graphs;
  delete reinterpret_cast<double*>(g);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) {
  --state().live_execs;
  delete reinterpret_cast<double*>(e);
  return cudaSuccess;
}

}  // extern "C"
