#include "kernels/cuda/batch.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {
namespace {

Event make_event() {
  Event event;
  RIDGE_CUDA(cudaEventCreate(event.out()));
  return event;
}

double seconds_between(const Event& start, const Event& stop) {
  float milliseconds = 0;
  RIDGE_CUDA(cudaEventElapsedTime(&milliseconds, start.get(), stop.get()));
  return static_cast<double>(milliseconds) * 1e-3;
}

std::string name_of(const Launch& launch) {
  const auto* named = dynamic_cast<const NamedLaunch*>(&launch);
  return named ? named->call() : "a launch";
}

// Times what `enqueue` puts on the stream.
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

class StreamBatch final : public Batch {
 public:
  StreamBatch(cudaStream_t stream, std::span<Launch* const> launches)
      : launches_(launches.begin(), launches.end()), section_(stream) {}
  BatchTime run() override {
    return section_.run([this] {
      for (Launch* launch : launches_) launch->enqueue();
    });
  }

 private:
  std::vector<Launch*> launches_;
  TimedSection section_;
};

// Ends a capture that nobody ended, so that the stream works again.
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

Graph capture(cudaStream_t stream, std::span<Launch* const> launches) {
  Capture recording(stream);
  for (Launch* launch : launches) {
    try {
      launch->enqueue();
    } catch (const DeviceLost&) {
      throw;
    } catch (const OutOfMemory& e) {
      throw OutOfMemory("capturing " + name_of(*launch) + " in a graph: " + e.what());
    } catch (const std::exception& e) {
      throw std::runtime_error("cannot capture " + name_of(*launch) + " in a graph: " + e.what());
    }
    if (!recording.active())
      throw std::runtime_error("cannot capture " + name_of(*launch) +
                               " in a graph: it allocates, synchronises or uses another stream");
  }
  return recording.end();
}

class GraphBatch final : public Batch {
 public:
  GraphBatch(cudaStream_t stream, std::span<Launch* const> launches)
      : stream_(stream), section_(stream) {
    // A kernel's code is loaded at its first launch, which a capture need not allow.
    for (Launch* launch : launches) launch->enqueue();
    const Graph graph = capture(stream, launches);
    RIDGE_CUDA(cudaGraphInstantiate(exec_.out(), graph.get(), 0));
    RIDGE_CUDA(cudaGraphUpload(exec_.get(), stream));
    RIDGE_CUDA(cudaGraphLaunch(exec_.get(), stream));
    RIDGE_CUDA(cudaStreamSynchronize(stream));
  }
  BatchTime run() override {
    return section_.run([this] { RIDGE_CUDA(cudaGraphLaunch(exec_.get(), stream_)); });
  }

 private:
  cudaStream_t stream_;
  TimedSection section_;
  GraphExec exec_;
};

class ColdBatch final : public Batch {
 public:
  ColdBatch(cudaStream_t stream, std::span<Launch* const> launches, const L2Flusher& flusher)
      : stream_(stream), launches_(launches.begin(), launches.end()), flusher_(flusher) {
    for (std::size_t i = 0; i < launches_.size(); ++i)
      events_.emplace_back(make_event(), make_event());
  }
  BatchTime run() override {
    for (std::size_t i = 0; i < launches_.size(); ++i) {
      flusher_.enqueue();
      RIDGE_CUDA(cudaEventRecord(events_[i].first.get(), stream_));
      launches_[i]->enqueue();
      RIDGE_CUDA(cudaEventRecord(events_[i].second.get(), stream_));
    }
    RIDGE_CUDA(cudaStreamSynchronize(stream_));
    BatchTime total{.seconds = 0, .busy_fraction = 1};
    for (const auto& [start, stop] : events_) total.seconds += seconds_between(start, stop);
    return total;
  }

 private:
  cudaStream_t stream_;
  std::vector<Launch*> launches_;
  const L2Flusher& flusher_;
  std::vector<std::pair<Event, Event>> events_;
};

}  // namespace

std::unique_ptr<Batch> stream_batch(const CudaContext& context, std::span<Launch* const> launches) {
  return std::make_unique<StreamBatch>(context.stream, launches);
}

std::unique_ptr<Batch> graph_batch(const CudaContext& context, std::span<Launch* const> launches) {
  return std::make_unique<GraphBatch>(context.stream, launches);
}

std::unique_ptr<Batch> cold_batch(const CudaContext& context, std::span<Launch* const> launches,
                                  const L2Flusher& flusher) {
  return std::make_unique<ColdBatch>(context.stream, launches, flusher);
}

}  // namespace ridge::cuda
