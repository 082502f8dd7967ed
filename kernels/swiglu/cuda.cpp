#include "kernels/cuda/device_memory.h"
#include "kernels/cuda/lt_matmul.h"
#include "kernels/swiglu/cuda_silu_mul.h"
#include "kernels/swiglu/swiglu.h"

namespace ridge::swiglu {
namespace {

cuda::LtMatmul gate_up_product(const Call& c) {
  const Dims d = dims(c);
  return {.m = d.rows,
          .n = 2 * d.ffn,
          .k = d.hidden,
          .dtype = c.dtype,
          .output = c.dtype,
          .scale = static_cast<float>(gate_up_scale(d))};
}

cuda::LtMatmul down_product(const Call& c) {
  const Dims d = dims(c);
  return {.m = d.rows,
          .n = d.hidden,
          .k = d.ffn,
          .dtype = c.dtype,
          .output = c.dtype,
          .scale = static_cast<float>(down_scale(d))};
}

class Mlp final : public Launch {
 public:
  Mlp(CudaContext& context, const Call& call, const Arguments& a)
      : dims_(dims(call)), dtype_(call.dtype), stream_(context.stream) {
    const auto size = static_cast<int64_t>(bytes_per_element(dtype_));
    gate_up_ = cuda::shared_scratch(context, "swiglu gate_up", dims_.rows * 2 * dims_.ffn * size);
    h_ = cuda::shared_scratch(context, "swiglu h", dims_.rows * dims_.ffn * size);
    // Binding times the products on their operands: h must hold numbers by then, not what was left
    // in its memory, for power and clocks to be those of real data.
    up_ = cuda::bind_lt_matmul(context, gate_up_product(call),
                               {.a = a.inputs[0], .b = a.inputs[1], .d = gate_up_->address()});
    up_->enqueue();
    enqueue_silu_mul(dtype_, gate_up_->address(), h_->address(), dims_, stream_);
    down_ = cuda::bind_lt_matmul(context, down_product(call),
                                 {.a = h_->address(), .b = a.inputs[2], .d = a.outputs[0]});
  }

  void enqueue() override {
    up_->enqueue();
    enqueue_silu_mul(dtype_, gate_up_->address(), h_->address(), dims_, stream_);
    down_->enqueue();
  }
  std::string detail() const override {
    return "gate_up: " + up_->detail() + "; down: " + down_->detail();
  }

 private:
  Dims dims_;
  Dtype dtype_;
  cudaStream_t stream_;
  std::shared_ptr<cuda::DeviceMemory> gate_up_, h_;
  std::unique_ptr<Launch> up_, down_;
};

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation lt;
  lt.op = "swiglu";
  lt.name = "cublaslt";
  lt.unsupported = [](const CudaContext& context, const Call& c) {
    return cuda::lt_unsupported(context, gate_up_product(c));
  };
  lt.bind = [](CudaContext& context, const Call& c, const Arguments& a) -> std::unique_ptr<Launch> {
    return std::make_unique<Mlp>(context, c, a);
  };
  return {lt};
}

}  // namespace ridge::swiglu
