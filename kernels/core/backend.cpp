#include "kernels/core/backend.h"

#include <chrono>

namespace ridge {
namespace {

class PlainWeights final : public Weights {
 public:
  explicit PlainWeights(std::unique_ptr<Buffer> buffer) : buffer_(std::move(buffer)) {}
  int64_t bytes() const override { return buffer_->bytes(); }
  const void* plain() const override { return buffer_->address(); }

 private:
  std::unique_ptr<Buffer> buffer_;
};

}  // namespace

std::unique_ptr<Weights> Backend::keep_weights(Dtype dtype, int64_t n, int64_t k,
                                               const void* host) {
  const int64_t bytes = n * k * static_cast<int64_t>(bytes_per_element(dtype));
  auto buffer = allocate(bytes);
  upload(buffer->address(), host, bytes);
  return std::make_unique<PlainWeights>(std::move(buffer));
}

// The CPU's launches return when they are done; others are waited for.
std::vector<Backend::Span> Backend::trace(std::span<Launch* const> launches) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> stamps{Clock::now()};
  stamps.reserve(2 * launches.size());
  for (Launch* launch : launches) {
    if (stamps.size() > 1) stamps.push_back(Clock::now());
    launch->enqueue();
    synchronize();
    stamps.push_back(Clock::now());
  }
  std::vector<Span> spans;
  const auto at = [&](std::size_t i) {
    return std::chrono::duration<double>(stamps[i] - stamps[0]).count();
  };
  for (std::size_t i = 0; i < launches.size(); ++i) spans.push_back({at(2 * i), at(2 * i + 1)});
  return spans;
}

}  // namespace ridge
