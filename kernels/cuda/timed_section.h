#pragma once
#include "kernels/core/backend.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {

// An event that carries a time, or, for ordering alone, one that does not and costs less.
enum class Timing { kOn, kOff };
inline Event make_event(Timing timing = Timing::kOn) {
  Event event;
  RIDGE_CUDA(cudaEventCreateWithFlags(
      event.out(), timing == Timing::kOn ? cudaEventDefault : cudaEventDisableTiming));
  return event;
}

inline double seconds_between(const Event& start, const Event& stop) {
  float milliseconds = 0;
  RIDGE_CUDA(cudaEventElapsedTime(&milliseconds, start.get(), stop.get()));
  return static_cast<double>(milliseconds) * 1e-3;
}

// Times what `enqueue` puts on the stream, from one event to another; returns when it is done.
class TimedSection {
 public:
  explicit TimedSection(cudaStream_t stream) : stream_(stream) {}
  template <class F>
  BatchTime run(F enqueue) {
    RIDGE_CUDA(cudaEventRecord(start_.get(), stream_));
    enqueue();
    RIDGE_CUDA(cudaEventRecord(stop_.get(), stream_));
    RIDGE_CUDA(cudaEventSynchronize(stop_.get()));
    return {.seconds = seconds_between(start_, stop_), .busy_fraction = 1};
  }

 private:
  cudaStream_t stream_;
  Event start_ = make_event(), stop_ = make_event();
};

}  // namespace ridge::cuda
