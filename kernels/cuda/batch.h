#pragma once
#include <memory>
#include <span>
#include <string>

#include "kernels/core/backend.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/flush.h"

namespace ridge::cuda {

// A launch that knows the call it runs, for messages.
class NamedLaunch final : public Launch {
 public:
  NamedLaunch(std::unique_ptr<Launch> launch, std::string call)
      : launch_(std::move(launch)), call_(std::move(call)) {}
  void enqueue() override { launch_->enqueue(); }
  std::string detail() const override { return launch_->detail(); }
  const std::string& call() const { return call_; }

 private:
  std::unique_ptr<Launch> launch_;
  std::string call_;
};

// Times are between two events on the context's stream, so they hold the launches and the gaps
// between them. Events resolve 0.5 µs; batches should be long enough for it.

// Back to back, as the host can issue them.
std::unique_ptr<Batch> stream_batch(const CudaContext& context, std::span<Launch* const> launches);

// Captured once, instantiated, uploaded and warmed up here; run() replays the graph. Throws
// std::runtime_error that names the call which cannot be captured; the stream is usable after it.
std::unique_ptr<Batch> graph_batch(const CudaContext& context, std::span<Launch* const> launches);

// One launch at a time between its own events, after an L2 flush. `flusher` must outlive the batch.
std::unique_ptr<Batch> cold_batch(const CudaContext& context, std::span<Launch* const> launches,
                                  const L2Flusher& flusher);

}  // namespace ridge::cuda
