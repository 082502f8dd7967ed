#include "kernels/core/backend.h"

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

}  // namespace ridge
