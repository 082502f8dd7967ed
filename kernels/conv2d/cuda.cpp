#include "kernels/conv2d/conv2d.h"
#include "kernels/core/error.h"
#include "kernels/cuda/context.h"

#ifdef RIDGE_HAVE_CUDNN
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/conv2d/cudnn.h"
#include "kernels/conv2d/race.h"
#include "kernels/cuda/device_memory.h"
#endif

namespace ridge::conv2d {
#ifdef RIDGE_HAVE_CUDNN
namespace {

// Algorithms that want more are left out: a network has many layers and one workspace.
constexpr std::size_t kWorkspaceLimit = std::size_t{1} << 30;
constexpr std::size_t kFinalists = 3;  // of cuDNN's own ranking, timed again on cold operands

struct Choice {
  cudnnConvolutionFwdAlgo_t algorithm{};
  cudnnMathType_t math{};
  std::size_t workspace_bytes = 0;
  std::string detail;
};

std::string algorithm_name(cudnnConvolutionFwdAlgo_t a) {
  static constexpr std::array<const char*, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> kNames{
      "implicit gemm", "implicit precomputed gemm", "gemm", "direct", "fft", "fft tiling",
      "winograd",      "winograd non-fused"};
  const auto i = static_cast<std::size_t>(a);
  return i < kNames.size() ? kNames[i] : std::to_string(i);
}

// The convolution as cuDNN knows it.
class Convolution {
 public:
  Convolution(const CudaContext& context, const Call& call, const Arguments& a)
      : handle_(context.cudnn), a_(a) {
    const Dims d = dims(call);
    const cudnnDataType_t type = cuda::cudnn_type(call.dtype);
    const auto i = [](int64_t v) { return static_cast<int>(v); };  // checked by unsupported()
    RIDGE_CUDNN(cudnnCreateTensorDescriptor(x_.out()));
    RIDGE_CUDNN(cudnnCreateTensorDescriptor(y_.out()));
    RIDGE_CUDNN(cudnnCreateFilterDescriptor(weights_.out()));
    RIDGE_CUDNN(cudnnCreateConvolutionDescriptor(convolution_.out()));
    RIDGE_CUDNN(cudnnSetTensor4dDescriptor(x_.get(), CUDNN_TENSOR_NHWC, type, i(d.n), i(d.c),
                                           i(d.h), i(d.w)));
    RIDGE_CUDNN(cudnnSetTensor4dDescriptor(y_.get(), CUDNN_TENSOR_NHWC, type, i(d.n), i(d.k),
                                           i(d.p()), i(d.q())));
    RIDGE_CUDNN(cudnnSetFilter4dDescriptor(weights_.get(), type, CUDNN_TENSOR_NHWC, i(d.k),
                                           i(d.group_c()), i(d.r), i(d.s)));
    const int pad = i(d.pad), stride = i(d.stride);
    RIDGE_CUDNN(cudnnSetConvolution2dDescriptor(convolution_.get(), pad, pad, stride, stride, 1, 1,
                                                CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    RIDGE_CUDNN(cudnnSetConvolutionGroupCount(convolution_.get(), i(d.groups)));
    RIDGE_CUDNN(cudnnSetConvolutionMathType(convolution_.get(), cuda::cudnn_math(call.dtype)));
  }

  // The workspace of the hungriest algorithm within the limit.
  std::size_t largest_workspace() const {
    std::size_t largest = 0;
    for (int a = 0; a < CUDNN_CONVOLUTION_FWD_ALGO_COUNT; ++a) {
      std::size_t bytes = 0;
      const cudnnStatus_t status = cudnnGetConvolutionForwardWorkspaceSize(
          handle_, x_.get(), weights_.get(), convolution_.get(), y_.get(),
          static_cast<cudnnConvolutionFwdAlgo_t>(a), &bytes);
      if (status == CUDNN_STATUS_SUCCESS && bytes <= kWorkspaceLimit)
        largest = std::max(largest, bytes);
    }
    return largest;
  }

  // What runs within the workspace, the fastest by cuDNN's own timing first.
  std::vector<cudnnConvolutionFwdAlgoPerf_t> ranking(void* workspace, std::size_t bytes) const {
    std::vector<cudnnConvolutionFwdAlgoPerf_t> found(3 * CUDNN_CONVOLUTION_FWD_ALGO_COUNT);
    int count = 0;
    RIDGE_CUDNN(cudnnFindConvolutionForwardAlgorithmEx(
        handle_, x_.get(), a_.inputs[0], weights_.get(), a_.inputs[1], convolution_.get(), y_.get(),
        a_.outputs[0], static_cast<int>(found.size()), &count, found.data(), workspace, bytes));
    found.resize(static_cast<std::size_t>(count));
    return found;
  }

  void run(const Choice& c, void* workspace) const {
    const float one = 1, zero = 0;
    RIDGE_CUDNN(cudnnSetConvolutionMathType(convolution_.get(), c.math));
    RIDGE_CUDNN(cudnnConvolutionForward(handle_, &one, x_.get(), a_.inputs[0], weights_.get(),
                                        a_.inputs[1], convolution_.get(), c.algorithm, workspace,
                                        c.workspace_bytes, &zero, y_.get(), a_.outputs[0]));
  }

 private:
  cudnnHandle_t handle_;
  Arguments a_;
  cuda::CudnnTensor x_, y_;
  cuda::CudnnFilter weights_;
  cuda::CudnnConvolution convolution_;
};

Choice choose(CudaContext& context, const Call& call, const Convolution& convolution) {
  const std::size_t bytes = convolution.largest_workspace();
  const auto workspace =
      cuda::shared_scratch(context, "cudnn convolution", static_cast<int64_t>(bytes));
  std::vector<Choice> finalists;
  for (const auto& p : convolution.ranking(workspace->address(), bytes)) {
    // cuDNN also tries its default math, which is TF32 where f32 was asked for.
    const bool tf32_in_disguise = call.dtype == Dtype::kF32 && p.mathType != CUDNN_FMA_MATH;
    if (p.status != CUDNN_STATUS_SUCCESS || p.memory > bytes || tf32_in_disguise) continue;
    if (finalists.size() < kFinalists)
      finalists.push_back({.algorithm = p.algo, .math = p.mathType, .workspace_bytes = p.memory});
  }
  if (finalists.empty()) throw BadInput("cuDNN has no algorithm for this convolution");
  std::vector<std::function<void()>> ways;
  for (const Choice& c : finalists)
    ways.emplace_back([&] { convolution.run(c, workspace->address()); });
  const std::vector<double> times = cuda::race(context, ways);
  const auto best = std::min_element(times.begin(), times.end()) - times.begin();
  Choice choice = finalists[static_cast<std::size_t>(best)];
  choice.detail =
      fmt::format("{}{}, workspace {:.4g} MiB, best of {}", algorithm_name(choice.algorithm),
                  choice.math == CUDNN_TENSOR_OP_MATH ? ", tensor cores" : "",
                  static_cast<double>(choice.workspace_bytes) / (1 << 20), finalists.size());
  return choice;
}

class Conv2d final : public Launch {
 public:
  Conv2d(CudaContext& context, const Call& call, const Arguments& a)
      : convolution_(context, call, a) {
    std::any& tuned = context.tuned["conv2d " + to_string(call)];
    if (!tuned.has_value()) tuned = choose(context, call, convolution_);
    choice_ = std::any_cast<const Choice&>(tuned);
    workspace_ = cuda::shared_scratch(context, "cudnn convolution",
                                      static_cast<int64_t>(choice_.workspace_bytes));
  }
  void enqueue() override { convolution_.run(choice_, workspace_->address()); }
  std::string detail() const override { return choice_.detail; }

 private:
  Convolution convolution_;
  Choice choice_;
  std::shared_ptr<cuda::DeviceMemory> workspace_;
};

std::string unsupported(const CudaContext& context, const Call& c) {
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  const Dims d = dims(c);
  if (!context.cudnn) return "cuDNN does not start";
  if (c.dtype == Dtype::kTf32 && context.sm() < 80) return "tf32 needs sm_80";
  if (d.n * d.c * d.h > kMost / d.w || d.n * d.k * d.p() > kMost / d.q() ||
      d.k * d.group_c() * d.r > kMost / d.s)
    return "cuDNN takes tensors of up to 2^31 - 1 elements";
  return "";
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation cudnn;
  cudnn.op = "conv2d";
  cudnn.name = "cudnn";
  cudnn.unsupported = unsupported;
  cudnn.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    return std::make_unique<Conv2d>(context, c, a);
  };
  return {cudnn};
}

#else

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation cudnn;
  cudnn.op = "conv2d";
  cudnn.name = "cudnn";
  cudnn.unsupported = [](const CudaContext&, const Call&) { return "built without cuDNN"; };
  cudnn.bind = [](CudaContext&, const Call&, const Arguments&) -> std::unique_ptr<Launch> {
    throw BadInput("built without cuDNN");
  };
  return {cudnn};
}

#endif
}  // namespace ridge::conv2d
