#pragma once
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/cudnn_handle.h"
#include "kernels/cuda/device_memory.h"
#include "kernels/cuda/flush.h"
#include "kernels/cuda/nvml.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {

// One CUDA device and its primary context: one stream, on which everything runs. Failures throw as
// check.h says; after DeviceLost the backend is of no more use.
class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int device);  // which unusable() found usable
  ~CudaBackend() override;

  const DeviceInfo& device() const override { return info_; }
  Telemetry telemetry() override { return nvml_->telemetry(); }
  std::vector<std::string> implementations(const Call& call, std::string* why) const override;
  std::unique_ptr<Launch> bind(const Call& call, const Arguments& arguments) override;

  std::unique_ptr<Buffer> allocate(int64_t bytes) override;
  void upload(void* device, const void* host, int64_t bytes) override;
  void download(void* host, const void* device, int64_t bytes) override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void fill(void* device, int value, int64_t bytes) override;
  void synchronize() override;
  int64_t free_memory_bytes() override;

  Method table_method() const override { return Method::kGraph; }
  std::unique_ptr<Batch> batch(std::span<Launch* const> launches, Method method) override;
  std::vector<Span> trace(std::span<Launch* const> launches) override;
  std::map<std::string, double> overheads() override;
  std::unique_ptr<Batch> host_copy(HostCopy how, int64_t bytes) override;
  void push_range(const std::string& name) override;
  void pop_range() override;

 private:
  const L2Flusher& flusher();

  // Members die in reverse: memory and handles before the stream they work on.
  Stream stream_;
  std::optional<DeviceMemory> workspace_;
  CublasHandle cublas_;
  CublasLtHandle cublaslt_;
  CudnnHandle cudnn_;
  std::unique_ptr<L2Flusher> flusher_;
  CudaContext context_;
  std::unique_ptr<Nvml> nvml_;
  DeviceInfo info_;
  std::vector<CudaImplementation> implementations_;
};

}  // namespace ridge::cuda
