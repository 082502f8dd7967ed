#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/memory_mix/kernels.cuh"

namespace ridge::memory_mix {

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "stream_mix";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    const float *pattern = nullptr, *x = nullptr;
    float *y = nullptr, *z = nullptr;
    if (d.writes > 0) {
      pattern = static_cast<const float*>(a.inputs.front());
      y = static_cast<float*>(a.outputs.front());
    }
    if (d.reads > 0) {
      x = static_cast<const float*>(a.inputs.back());
      z = static_cast<float*>(a.outputs.back());
    }
    const int64_t teams = kThreads / team(d);  // of a block
    const int64_t most = int64_t{kBlocksPerUnit} * context.properties.multiProcessorCount;
    const auto grid = static_cast<unsigned>(std::min((d.groups() + teams - 1) / teams, most));
    return make_launch([=, stream = context.stream] {
      const auto kernel = team(d) == kThreads ? move_groups<kThreads> : move_groups<32>;
      kernel<<<grid, kThreads, 0, stream>>>(pattern, x, y, z, d);
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return {own};
}

}  // namespace ridge::memory_mix
