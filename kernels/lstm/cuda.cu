#include "kernels/core/error.h"
#include "kernels/cuda/context.h"
#include "kernels/lstm/lstm.h"

#ifdef RIDGE_HAVE_CUDNN
#include <algorithm>
#include <cmath>

#include "kernels/conv2d/cudnn.h"
#include "kernels/conv2d/race.h"
#include "kernels/cuda/device_memory.h"
#include "kernels/lstm/kernels.cuh"
#endif

namespace ridge::lstm {
#ifdef RIDGE_HAVE_CUDNN
namespace {

int as_int(int64_t v) { return static_cast<int>(v); }  // checked by unsupported()

template <class T>
void scale_into(void* to, const void* from, int64_t at, int64_t count, float scale,
                cudaStream_t stream) {
  const auto blocks =
      static_cast<unsigned>(std::min<int64_t>((count + kPackThreads - 1) / kPackThreads, 65536));
  scale_copy<<<blocks, kPackThreads, 0, stream>>>(static_cast<const T*>(from) + at,
                                                  static_cast<T*>(to), count, scale);
  RIDGE_CUDA(cudaGetLastError());
}

// One cuDNN RNN with our weights packed into its weight space.
class Lstm final : public Launch {
 public:
  Lstm(CudaContext& context, const Call& call, const Arguments& a, cudnnRNNAlgo_t algorithm,
       std::string detail)
      : handle_(context.cudnn),
        stream_(context.stream),
        call_(call),
        d_(dims(call)),
        a_(a),
        detail_(std::move(detail)) {
    describe(algorithm);
    std::size_t bytes = 0, reserve_bytes = 0;
    RIDGE_CUDNN(cudnnGetRNNTempSpaceSizes(handle_, rnn_.get(), CUDNN_FWD_MODE_INFERENCE, x_.get(),
                                          &bytes, &reserve_bytes));
    work_bytes_ = bytes;
    work_ = cuda::shared_scratch(context, "cudnn rnn", static_cast<int64_t>(bytes));
    RIDGE_CUDNN(cudnnGetRNNWeightSpaceSize(handle_, rnn_.get(), &bytes));
    weights_ = std::make_unique<cuda::DeviceMemory>(static_cast<int64_t>(bytes));
    weight_bytes_ = bytes;
    pack();
  }

  void enqueue() override {
    RIDGE_CUDNN(cudnnRNNForward(handle_, rnn_.get(), CUDNN_FWD_MODE_INFERENCE,
                                static_cast<const int32_t*>(lengths_->address()), x_.get(),
                                a_.inputs[0], y_.get(), a_.outputs[0], state_.get(), nullptr,
                                nullptr, state_.get(), nullptr, nullptr, weight_bytes_,
                                weights_->address(), work_bytes_, work_->address(), 0, nullptr));
  }
  std::string detail() const override { return detail_; }

 private:
  void describe(cudnnRNNAlgo_t algorithm) {
    const cudnnDataType_t type = cuda::cudnn_type(call_.dtype);
    RIDGE_CUDNN(cudnnCreateDropoutDescriptor(dropout_.out()));
    RIDGE_CUDNN(cudnnSetDropoutDescriptor(dropout_.get(), handle_, 0, nullptr, 0, 0));
    RIDGE_CUDNN(cudnnCreateRNNDescriptor(rnn_.out()));
    RIDGE_CUDNN(cudnnSetRNNDescriptor_v8(
        rnn_.get(), algorithm, CUDNN_LSTM, CUDNN_RNN_SINGLE_INP_BIAS, CUDNN_UNIDIRECTIONAL,
        CUDNN_LINEAR_INPUT, type, CUDNN_DATA_FLOAT, cuda::cudnn_math(call_.dtype), as_int(d_.input),
        as_int(d_.hidden), as_int(d_.hidden), as_int(d_.layers), dropout_.get(),
        CUDNN_RNN_PADDED_IO_DISABLED));
    const std::vector<int32_t> lengths(static_cast<std::size_t>(d_.batch), as_int(d_.seq));
    const auto data = [&](cuda::CudnnRnnData& desc, int64_t width) {
      // All sequences are equally long, so packed is plain [seq, batch, width].
      RIDGE_CUDNN(cudnnCreateRNNDataDescriptor(desc.out()));
      RIDGE_CUDNN(cudnnSetRNNDataDescriptor(
          desc.get(), type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, as_int(d_.seq),
          as_int(d_.batch), as_int(width), lengths.data(), nullptr));
    };
    data(x_, d_.input);
    data(y_, d_.hidden);
    const int sizes[] = {as_int(d_.layers), as_int(d_.batch), as_int(d_.hidden)};
    const int strides[] = {sizes[1] * sizes[2], sizes[2], 1};
    RIDGE_CUDNN(cudnnCreateTensorDescriptor(state_.out()));
    RIDGE_CUDNN(cudnnSetTensorNdDescriptor(state_.get(), type, 3, sizes, strides));
    const std::size_t bytes = lengths.size() * sizeof(int32_t);
    lengths_ = std::make_unique<cuda::DeviceMemory>(static_cast<int64_t>(bytes));
    RIDGE_CUDA(cudaMemcpyAsync(lengths_->address(), lengths.data(), bytes, cudaMemcpyHostToDevice,
                               stream_));
    RIDGE_CUDA(cudaStreamSynchronize(stream_));  // `lengths` ends here
  }

  void scale_tensor(void* to, std::size_t input, int64_t at, int64_t count) const {
    const float scale = weight_scale(d_);
    if (call_.dtype == Dtype::kF16)
      scale_into<__half>(to, a_.inputs[input], at, count, scale, stream_);
    else
      scale_into<float>(to, a_.inputs[input], at, count, scale, stream_);
  }

  // cuDNN numbers a layer's matrices: 0-3 on the input, 4-7 on the state, in our gate order.
  void pack() {
    RIDGE_CUDA(cudaMemsetAsync(weights_->address(), 0, weight_bytes_, stream_));
    cuda::CudnnTensor matrix_desc, bias_desc;
    RIDGE_CUDNN(cudnnCreateTensorDescriptor(matrix_desc.out()));
    RIDGE_CUDNN(cudnnCreateTensorDescriptor(bias_desc.out()));
    for (int64_t layer = 0; layer < d_.layers; ++layer)
      for (int id = 0; id < 8; ++id) {
        void *matrix = nullptr, *bias = nullptr;
        RIDGE_CUDNN(cudnnGetRNNWeightParams(handle_, rnn_.get(), as_int(layer), weight_bytes_,
                                            weights_->address(), id, matrix_desc.get(), &matrix,
                                            bias_desc.get(), &bias));
        const int64_t gate = id % 4, row = (layer * 4 + gate) * d_.hidden;
        if (!matrix || (id < 4 && !bias)) throw std::runtime_error("cuDNN has no place for a gate");
        if (id >= 4) {
          scale_tensor(matrix, 2, row * d_.hidden, d_.hidden * d_.hidden);
          continue;
        }
        const int64_t count = d_.hidden * d_.in(layer);
        scale_tensor(matrix, 1, d_.w_input_at(layer) + gate * count, count);
        scale_tensor(bias, 3, row, d_.hidden);
      }
    RIDGE_CUDA(cudaStreamSynchronize(stream_));
  }

  cudnnHandle_t handle_;
  cudaStream_t stream_;
  Call call_;
  Dims d_;
  Arguments a_;
  std::string detail_;
  cuda::CudnnDropout dropout_;  // its descriptor must outlive the RNN's
  cuda::CudnnRnn rnn_;
  cuda::CudnnRnnData x_, y_;
  cuda::CudnnTensor state_;
  std::unique_ptr<cuda::DeviceMemory> lengths_, weights_;
  std::shared_ptr<cuda::DeviceMemory> work_;
  std::size_t work_bytes_ = 0, weight_bytes_ = 0;
};

struct Choice {
  cudnnRNNAlgo_t algorithm{};
  std::string detail;
};

// The layer-by-layer kernels, or one that keeps the weights on the chip for all steps.
Choice choose(CudaContext& context, const Call& call, const Arguments& a) {
  constexpr cudnnRNNAlgo_t kAlgorithms[] = {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC};
  std::vector<cudnnRNNAlgo_t> algorithms;
  std::vector<std::unique_ptr<Lstm>> launches;
  std::vector<std::function<void()>> ways;
  for (const cudnnRNNAlgo_t algorithm : kAlgorithms) {
    try {
      launches.push_back(std::make_unique<Lstm>(context, call, a, algorithm, ""));
    } catch (const OutOfMemory&) {
      throw;
    } catch (const DeviceLost&) {
      throw;
    } catch (const std::runtime_error&) {
      if (algorithm == CUDNN_RNN_ALGO_STANDARD) throw;  // the persistent one is not for all shapes
      continue;
    }
    algorithms.push_back(algorithm);
    ways.emplace_back([launch = launches.back().get()] { launch->enqueue(); });
  }
  const std::vector<double> times = cuda::race(context, ways);
  const auto best =
      static_cast<std::size_t>(std::min_element(times.begin(), times.end()) - times.begin());
  if (!std::isfinite(times[best])) throw std::runtime_error("cuDNN runs none of its algorithms");
  const char* name = algorithms[best] == CUDNN_RNN_ALGO_STANDARD ? "standard" : "persistent static";
  return {algorithms[best],
          std::string(name) + ", best of " + std::to_string(times.size()) + ", weights packed"};
}

std::string unsupported(const CudaContext& context, const Call& c) {
  const Dims d = dims(c);
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  if (!context.cudnn) return "cuDNN does not start";
  if (d.batch * d.layers > kMost / d.hidden) return "cuDNN's state is up to 2^31 - 1 elements";
  return "";
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation cudnn;
  cudnn.op = "lstm";
  cudnn.name = "cudnn";
  cudnn.unsupported = unsupported;
  cudnn.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    std::any& tuned = context.tuned["lstm " + to_string(c)];
    if (!tuned.has_value()) tuned = choose(context, c, a);
    const auto& choice = std::any_cast<const Choice&>(tuned);
    return std::make_unique<Lstm>(context, c, a, choice.algorithm, choice.detail);
  };
  return {cudnn};
}

#else

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation cudnn;
  cudnn.op = "lstm";
  cudnn.name = "cudnn";
  cudnn.unsupported = [](const CudaContext&, const Call&) { return "built without cuDNN"; };
  cudnn.bind = [](CudaContext&, const Call&, const Arguments&) -> std::unique_ptr<Launch> {
    throw BadInput("built without cuDNN");
  };
  return {cudnn};
}

#endif
}  // namespace ridge::lstm
