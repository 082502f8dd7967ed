#include "kernels/cuda/batch.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/cuda/capture.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/timed_section.h"

namespace ridge::cuda {
namespace {

std::string name_of(const Launch& launch) {
  const auto* named = dynamic_cast<const NamedLaunch*>(&launch);
  return named ? named->call() : "a launch";
}

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
