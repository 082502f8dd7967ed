#include "kernels/cuda/cuda_backend.h"

#include <new>

#include "kernels/core/error.h"
#include "kernels/cuda/batch.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/device_info.h"
#include "kernels/cuda/host_copy.h"
#include "kernels/cuda/nvtx.h"
#include "kernels/cuda/overheads.h"
#include "kernels/cuda/timed_section.h"

namespace ridge {

// Made by cuda_plugin.cmake from the operator folders that have CUDA sources.
#define RIDGE_OPERATOR(folder)                            \
  namespace folder {                                      \
  std::vector<CudaImplementation> cuda_implementations(); \
  }
#include "cuda_operator_list.inc"
#undef RIDGE_OPERATOR

namespace cuda {
namespace {

std::vector<CudaImplementation> all_implementations() {
  std::vector<CudaImplementation> all;
#define RIDGE_OPERATOR(folder) \
  for (auto& i : folder::cuda_implementations()) all.push_back(std::move(i));
#include "cuda_operator_list.inc"
#undef RIDGE_OPERATOR
  return all;
}

std::size_t size(int64_t bytes) { return static_cast<std::size_t>(bytes); }

}  // namespace

CudaBackend::CudaBackend(int device) : implementations_(all_implementations()) {
  context_.device = device;
  nvml_ = std::make_unique<Nvml>(pci_bus_id(device));  // sees who is there before we are
  RIDGE_CUDA(cudaSetDevice(device));
  RIDGE_CUDA(cudaGetDeviceProperties(&context_.properties, device));
  RIDGE_CUDA(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking));
  // cuBLAS's own recommendation; a smaller workspace costs Hopper's split-K kernels speed.
  workspace_.emplace(int64_t{context_.sm() >= 90 ? 32 : 4} << 20);
  RIDGE_CUDA(cublasCreate(cublas_.out()));
  RIDGE_CUDA(cublasSetStream(cublas_.get(), stream_.get()));
  RIDGE_CUDA(cublasSetWorkspace(cublas_.get(), workspace_->address(), size(workspace_->bytes())));
  RIDGE_CUDA(cublasLtCreate(cublaslt_.out()));
  cudnn_ = CudnnHandle(stream_.get());

  context_.stream = stream_.get();
  context_.cublas = cublas_.get();
  context_.cublaslt = cublaslt_.get();
  context_.cudnn = cudnn_.get();
  context_.workspace = workspace_->address();
  context_.workspace_bytes = size(workspace_->bytes());
  context_.flush_l2 = [this] { flusher().enqueue(); };
  info_ = describe(context_, *nvml_);
  if (!cudnn_.why().empty()) info_.provenance["cudnn"] = cudnn_.why();
}

CudaBackend::~CudaBackend() {
  (void)cudaStreamSynchronize(stream_.get());  // nothing may run in memory that is freed next
}

std::vector<std::string> CudaBackend::implementations(const Call& call, std::string* why) const {
  std::vector<std::string> names;
  for (const auto* i : usable(implementations_, context_, call, why)) names.push_back(i->name);
  return names;
}

std::unique_ptr<Launch> CudaBackend::bind(const Call& call, const Arguments& arguments) {
  std::string why;
  const auto found = usable(implementations_, context_, call, &why);
  const std::string text = to_string(call);
  if (found.empty()) throw BadInput(text + ": " + why);
  const Range range("bind " + text);
  try {
    return std::make_unique<NamedLaunch>(found.front()->bind(context_, call, arguments), text);
  } catch (const OutOfMemory& e) {
    throw OutOfMemory(text + ": " + e.what());
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(text + ": out of host memory");
  }
}

std::unique_ptr<Buffer> CudaBackend::allocate(int64_t bytes) {
  return std::make_unique<DeviceMemory>(bytes);
}

void CudaBackend::upload(void* device, const void* host, int64_t bytes) {
  RIDGE_CUDA(cudaMemcpyAsync(device, host, size(bytes), cudaMemcpyHostToDevice, stream_.get()));
  synchronize();
}

void CudaBackend::download(void* host, const void* device, int64_t bytes) {
  RIDGE_CUDA(cudaMemcpyAsync(host, device, size(bytes), cudaMemcpyDeviceToHost, stream_.get()));
  synchronize();
}

void CudaBackend::copy(void* to, const void* from, int64_t bytes) {
  RIDGE_CUDA(cudaMemcpyAsync(to, from, size(bytes), cudaMemcpyDeviceToDevice, stream_.get()));
}

void CudaBackend::fill(void* device, int value, int64_t bytes) {
  RIDGE_CUDA(cudaMemsetAsync(device, value, size(bytes), stream_.get()));
}

void CudaBackend::synchronize() { RIDGE_CUDA(cudaStreamSynchronize(stream_.get())); }

int64_t CudaBackend::free_memory_bytes() {
  std::size_t free_bytes = 0, total = 0;
  RIDGE_CUDA(cudaMemGetInfo(&free_bytes, &total));
  return static_cast<int64_t>(free_bytes);
}

const L2Flusher& CudaBackend::flusher() {
  if (!flusher_) flusher_ = std::make_unique<L2Flusher>(context_);
  return *flusher_;
}

std::unique_ptr<Batch> CudaBackend::batch(std::span<Launch* const> launches, Method method) {
  const Range range("prepare " + std::string(name(method)) + " batch");
  switch (method) {
    case Method::kStream:
      return stream_batch(context_, launches);
    case Method::kGraph:
      return graph_batch(context_, launches);
    case Method::kCold:
      return cold_batch(context_, launches, flusher());
  }
  throw BadInput("unknown method");
}

// An event behind each launch: what one takes holds the gap before it.
std::vector<Backend::Span> CudaBackend::trace(std::span<Launch* const> launches) {
  std::vector<Event> events(1);
  events[0] = make_event();
  for (std::size_t i = 0; i < launches.size(); ++i) events.push_back(make_event());
  RIDGE_CUDA(cudaEventRecord(events[0].get(), stream_.get()));
  for (std::size_t i = 0; i < launches.size(); ++i) {
    launches[i]->enqueue();
    RIDGE_CUDA(cudaEventRecord(events[i + 1].get(), stream_.get()));
  }
  synchronize();
  std::vector<Span> spans;
  double begin = 0;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const double end = begin + seconds_between(events[i], events[i + 1]);
    spans.push_back({begin, end});
    begin = end;
  }
  return spans;
}

std::map<std::string, double> CudaBackend::overheads() {
  const Range range("overheads");
  return measure_overheads(context_);
}

std::unique_ptr<Batch> CudaBackend::host_copy(HostCopy how, int64_t bytes) {
  const Range range("prepare host copy");
  return host_copy_batch(context_, how, bytes);
}

void CudaBackend::push_range(const std::string& name) { cuda::push_range(name); }
void CudaBackend::pop_range() { cuda::pop_range(); }

}  // namespace cuda
}  // namespace ridge
