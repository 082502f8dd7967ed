// A plugin without a device behind it: lets the loader be tested where there is no GPU. It computes
// and times nothing.
#include "kernels/core/error.h"
#include "kernels/open_backend.h"

namespace {

class FakeBackend final : public ridge::Backend {
 public:
  FakeBackend() {
    info_.kind = "cuda";
    info_.name = "NVIDIA A100-SXM4-80GB";
  }
  const ridge::DeviceInfo& device() const override { return info_; }
  ridge::Telemetry telemetry() override { return {}; }
  std::vector<std::string> implementations(const ridge::Call&, std::string*) const override {
    return {};
  }
  std::unique_ptr<ridge::Launch> bind(const ridge::Call&, const ridge::Arguments&) override {
    throw ridge::BadInput("nothing runs here");
  }
  std::unique_ptr<ridge::Buffer> allocate(int64_t) override {
    throw ridge::OutOfMemory("no memory here");
  }
  void upload(void*, const void*, int64_t) override {}
  void download(void*, const void*, int64_t) override {}
  void copy(void*, const void*, int64_t) override {}
  void fill(void*, int, int64_t) override {}
  void synchronize() override { throw ridge::DeviceLost("no device here"); }
  int64_t free_memory_bytes() override { return 0; }
  ridge::Method table_method() const override { return ridge::Method::kGraph; }
  std::unique_ptr<ridge::Batch> batch(std::span<ridge::Launch* const>, ridge::Method) override {
    throw ridge::BadInput("nothing runs here");
  }
  void push_range(const std::string&) override {}
  void pop_range() override {}

 private:
  ridge::DeviceInfo info_;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) ridge::Backend* ridge_open_cuda_backend(
    int device, char* error, std::size_t error_bytes) {
  if (device == 0) return new FakeBackend;
  std::string("there is no device 1: 1 visible, counted from 0").copy(error, error_bytes - 1);
  return nullptr;
}
