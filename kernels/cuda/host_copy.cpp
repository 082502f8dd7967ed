#include "kernels/cuda/host_copy.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "kernels/cuda/check.h"
#include "kernels/cuda/device_memory.h"
#include "kernels/cuda/timed_section.h"

namespace ridge::cuda {
namespace {

// What can be touched without swapping, or no limit where the system does not tell.
int64_t available_host_bytes() {
  std::ifstream in("/proc/meminfo");
  for (std::string key, rest; in >> key && std::getline(in, rest);)
    if (key == "MemAvailable:") return std::atoll(rest.c_str()) << 10;
  return std::numeric_limits<int64_t>::max();
}

// Host memory, written to once, so that every page is there.
class HostMemory {
 public:
  HostMemory(HostCopy::Memory kind, int64_t bytes)
      : pinned_(kind == HostCopy::Memory::kPinned), bytes_(static_cast<std::size_t>(bytes)) {
    const std::string what =
        std::to_string(bytes >> 20) + " MiB of " + (pinned_ ? "pinned" : "pageable") + " memory";
    // Overcommit would let too much succeed here and kill the process at first touch.
    if (bytes > available_host_bytes() / 10 * 9)
      throw OutOfMemory(what + ": the host has " + std::to_string(available_host_bytes() >> 20) +
                        " MiB available");
    if (pinned_)
      check(cudaMallocHost(&address_, bytes_), what.c_str());
    else if ((address_ = std::malloc(bytes_)) == nullptr)
      throw OutOfMemory(what + ": malloc failed");
    std::memset(address_, 1, bytes_);
  }
  ~HostMemory() {
    if (pinned_)
      (void)cudaFreeHost(address_);
    else
      std::free(address_);
  }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  void* address() const { return address_; }

 private:
  bool pinned_;
  std::size_t bytes_;
  void* address_ = nullptr;
};

class HostCopyBatch final : public Batch {
 public:
  HostCopyBatch(cudaStream_t stream, HostCopy how, int64_t bytes)
      : stream_(stream),
        how_(how),
        bytes_(static_cast<std::size_t>(bytes)),
        device_(bytes),
        host_(how.memory, bytes),
        section_(stream) {
    // What is copied to the host later has been written before.
    RIDGE_CUDA(cudaMemcpyAsync(device_.address(), host_.address(), bytes_, cudaMemcpyHostToDevice,
                               stream_));
    copy();
    RIDGE_CUDA(cudaStreamSynchronize(stream_));
  }
  // The device may still read the host's memory when a run was left by an exception.
  ~HostCopyBatch() override { (void)cudaStreamSynchronize(stream_); }

  BatchTime run() override {
    if (how_.memory == HostCopy::Memory::kPinned) return section_.run([this] { copy(); });
    const auto start = std::chrono::steady_clock::now();
    copy();
    RIDGE_CUDA(cudaStreamSynchronize(stream_));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return {.seconds = took.count(), .busy_fraction = 1};
  }

 private:
  void copy() {
    if (how_.direction == HostCopy::Direction::kToDevice)
      RIDGE_CUDA(cudaMemcpyAsync(device_.address(), host_.address(), bytes_, cudaMemcpyHostToDevice,
                                 stream_));
    else
      RIDGE_CUDA(cudaMemcpyAsync(host_.address(), device_.address(), bytes_, cudaMemcpyDeviceToHost,
                                 stream_));
  }

  cudaStream_t stream_;
  HostCopy how_;
  std::size_t bytes_;
  DeviceMemory device_;
  HostMemory host_;
  TimedSection section_;
};

}  // namespace

std::unique_ptr<Batch> host_copy_batch(const CudaContext& context, HostCopy how, int64_t bytes) {
  return std::make_unique<HostCopyBatch>(context.stream, how, bytes);
}

}  // namespace ridge::cuda
