#include <algorithm>

#include "kernels/argmax/kernels.cuh"
#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/device_memory.h"

namespace ridge::argmax {
namespace {

constexpr int64_t kBlocksPerSm = 4;
constexpr int64_t kFewestColumns = 4096;  // that are worth a block
constexpr int64_t kAlign = 64;            // columns: parts start where a row is 16-byte aligned

template <class T>
class Argmax final : public Launch {
 public:
  Argmax(const CudaContext& context, const Dims& d, const Arguments& a)
      : stream_(context.stream),
        x_(static_cast<const T*>(a.inputs[0])),
        out_(static_cast<int32_t*>(a.outputs[0])),
        d_(d) {
    const int64_t wanted = kBlocksPerSm * context.properties.multiProcessorCount / d.rows;
    const int64_t parts =
        std::clamp<int64_t>(wanted, 1, std::max(d.cols / kFewestColumns, int64_t{1}));
    step_ = ((d.cols + parts - 1) / parts + kAlign - 1) / kAlign * kAlign;
    parts_ = (d.cols + step_ - 1) / step_;
    if (parts_ == 1) return;
    partial_ =
        std::make_unique<cuda::DeviceMemory>(d.rows * parts_ * static_cast<int64_t>(sizeof(int2)));
    arrived_ =
        std::make_unique<cuda::DeviceMemory>(d.rows * static_cast<int64_t>(sizeof(unsigned)));
    RIDGE_CUDA(cudaMemsetAsync(arrived_->address(), 0, static_cast<std::size_t>(arrived_->bytes()),
                               stream_));
  }

  void enqueue() override {
    argmax<<<dim3(static_cast<unsigned>(d_.rows), static_cast<unsigned>(parts_)), kThreads, 0,
             stream_>>>(x_, static_cast<int>(d_.cols), static_cast<int>(step_),
                        static_cast<int2*>(partial_ ? partial_->address() : nullptr),
                        static_cast<unsigned*>(arrived_ ? arrived_->address() : nullptr), out_);
    RIDGE_CUDA(cudaGetLastError());
  }
  std::string detail() const override { return std::to_string(parts_) + " blocks a row"; }

 private:
  cudaStream_t stream_;
  const T* x_;
  int32_t* out_;
  Dims d_;
  int64_t parts_ = 1, step_ = 1;
  std::unique_ptr<cuda::DeviceMemory> partial_, arrived_;
};

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "argmax";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c,
                const Arguments& a) -> std::unique_ptr<Launch> {
    if (c.dtype == Dtype::kF16) return std::make_unique<Argmax<__half>>(context, dims(c), a);
    if (c.dtype == Dtype::kBf16)
      return std::make_unique<Argmax<__nv_bfloat16>>(context, dims(c), a);
    return std::make_unique<Argmax<float>>(context, dims(c), a);
  };
  return {own};
}

}  // namespace ridge::argmax
