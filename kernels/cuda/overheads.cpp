#include "kernels/cuda/overheads.h"

#include <algorithm>
#include <vector>

#include "kernels/cuda/capture.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/timed_section.h"
#include "kernels/cuda/tiny.h"

namespace ridge::cuda {
namespace {

constexpr int kRepeats = 11;
constexpr int kKernels = 1024;  // of one timed section: a few µs each, far above an event's 0.5 µs
constexpr int kStreams = 8;
constexpr int kBranches = 64;  // of the graph; half of the grids that a device runs side by side
constexpr int kReplays = 16;

// Streams that start with what `main` has reached when begin() is called; end() makes it wait for
// them. Captured on `main`, they become branches of its graph.
class Branches {
 public:
  Branches(cudaStream_t main, int count) : main_(main) {
    for (int i = 0; i < count; ++i) {
      RIDGE_CUDA(cudaStreamCreateWithFlags(streams_.emplace_back().out(), cudaStreamNonBlocking));
      done_.push_back(make_event(Timing::kOff));
    }
  }
  cudaStream_t operator[](int i) const {
    return streams_[static_cast<std::size_t>(i) % streams_.size()].get();
  }
  void begin() {
    RIDGE_CUDA(cudaEventRecord(begun_.get(), main_));
    for (const Stream& s : streams_) RIDGE_CUDA(cudaStreamWaitEvent(s.get(), begun_.get(), 0));
  }
  void end() {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      RIDGE_CUDA(cudaEventRecord(done_[i].get(), streams_[i].get()));
      RIDGE_CUDA(cudaStreamWaitEvent(main_, done_[i].get(), 0));
    }
  }

 private:
  cudaStream_t main_;
  std::vector<Stream> streams_;
  Event begun_ = make_event(Timing::kOff);
  std::vector<Event> done_;
};

// Of kRepeats values, the first of one more thrown away.
template <class F>
double median(F measure) {
  std::vector<double> values;
  measure();
  for (int i = 0; i < kRepeats; ++i) values.push_back(measure());
  const auto middle = values.begin() + kRepeats / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// With and without events in turn, so that a drift of the clock touches both. Noise must not make
// a cost negative.
double event_cost(cudaStream_t stream) {
  TimedSection section(stream);
  const Event between = make_event();
  const double seconds = median([&] {
    const double with = section
                            .run([&] {
                              for (int i = 0; i < kKernels; ++i) {
                                enqueue_tiny(stream);
                                RIDGE_CUDA(cudaEventRecord(between.get(), stream));
                              }
                            })
                            .seconds;
    const double without = section
                               .run([&] {
                                 for (int i = 0; i < kKernels; ++i) enqueue_tiny(stream);
                               })
                               .seconds;
    return with - without;
  });
  return std::max(seconds / kKernels, 0.0);
}

double stream_cost(cudaStream_t stream) {
  Branches branches(stream, kStreams);
  TimedSection section(stream);
  const double seconds = median([&] {
    return section
        .run([&] {
          branches.begin();
          for (int i = 0; i < kKernels; ++i) enqueue_tiny(branches[i]);
          branches.end();
        })
        .seconds;
  });
  return seconds / kKernels;
}

// One node a branch: two on the same stream would depend on each other.
GraphExec independent_nodes(cudaStream_t stream) {
  Branches branches(stream, kBranches);
  Capture recording(stream);
  branches.begin();
  for (int i = 0; i < kBranches; ++i) enqueue_tiny(branches[i]);
  branches.end();
  const Graph graph = recording.end();
  GraphExec exec;
  RIDGE_CUDA(cudaGraphInstantiate(exec.out(), graph.get(), 0));
  RIDGE_CUDA(cudaGraphUpload(exec.get(), stream));
  return exec;
}

double graph_cost(cudaStream_t stream) {
  const GraphExec exec = independent_nodes(stream);
  TimedSection section(stream);
  const double seconds = median([&] {
    return section
        .run([&] {
          for (int i = 0; i < kReplays; ++i) RIDGE_CUDA(cudaGraphLaunch(exec.get(), stream));
        })
        .seconds;
  });
  return seconds / (kReplays * kBranches);
}

}  // namespace

std::map<std::string, double> measure_overheads(const CudaContext& context) {
  // In this order: what a capture may not load is loaded by the time there is one.
  std::map<std::string, double> costs;
  costs["event"] = event_cost(context.stream);
  costs["stream.independent"] = stream_cost(context.stream);
  costs["graph.independent"] = graph_cost(context.stream);
  RIDGE_CUDA(cudaStreamSynchronize(context.stream));
  return costs;
}

}  // namespace ridge::cuda
