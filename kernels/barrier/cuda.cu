#include <cooperative_groups.h>

#include "kernels/barrier/kernels.cuh"
#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/device_memory.h"

namespace ridge::barrier {
namespace {

__global__ void __launch_bounds__(kThreads)
    pass_on_over_grid(const float* x, float* scratch, float* y, Dims d) {
  const auto grid = cooperative_groups::this_grid();
  pass_on(x, scratch, y, d, [&grid] { grid.sync(); });
}

std::string unsupported(const CudaContext& context, const Call& c) {
  if (!context.properties.cooperativeLaunch) return "the device has no cooperative launch";
  int per_unit = 0;
  RIDGE_CUDA(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_unit, pass_on_over_grid, kThreads, 0));
  const int64_t most = int64_t{per_unit} * context.properties.multiProcessorCount;
  if (dims(c).parts > most)
    return "parts=" + std::to_string(dims(c).parts) + " must be at most " + std::to_string(most) +
           ", the blocks that the device holds at once";
  return "";
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "barrier";
  own.name = "grid_sync";
  own.unsupported = unsupported;
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    const int64_t bytes = 4 * scratch_elements(d.parts);
    return make_launch([d, x = static_cast<const float*>(a.inputs[0]),
                        y = static_cast<float*>(a.outputs[0]), stream = context.stream,
                        memory = cuda::shared_scratch(context, "barrier", bytes)] {
      cudaLaunchAttribute cooperative{};
      cooperative.id = cudaLaunchAttributeCooperative;
      cooperative.val.cooperative = 1;
      cudaLaunchConfig_t config{};
      config.gridDim = static_cast<unsigned>(d.parts);
      config.blockDim = kThreads;
      config.stream = stream;
      config.attrs = &cooperative;
      config.numAttrs = 1;
      RIDGE_CUDA(cudaLaunchKernelEx(&config, pass_on_over_grid, x,
                                    static_cast<float*>(memory->address()), y, d));
    });
  };
  return {own};
}

}  // namespace ridge::barrier
