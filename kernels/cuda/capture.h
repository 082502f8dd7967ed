#pragma once
#include "kernels/cuda/check.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {

// Records in a graph what is enqueued on `stream`, and on streams that wait for it. A capture that
// nobody ended is ended here, so that the stream works again.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    RIDGE_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  }
  ~Capture() {
    if (!open_) return;
    Graph broken;
    (void)cudaStreamEndCapture(stream_, broken.out());
    (void)cudaGetLastError();
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  bool active() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    return cudaStreamIsCapturing(stream_, &status) == cudaSuccess &&
           status == cudaStreamCaptureStatusActive;
  }
  Graph end() {
    open_ = false;
    Graph graph;
    RIDGE_CUDA(cudaStreamEndCapture(stream_, graph.out()));
    return graph;
  }

 private:
  cudaStream_t stream_;
  bool open_ = true;
};

}  // namespace ridge::cuda
