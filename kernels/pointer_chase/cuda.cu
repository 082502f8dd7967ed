#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/pointer_chase/kernels.cuh"

namespace ridge::pointer_chase {
namespace {

template <cuda::Cache cache>
CudaImplementation implementation(std::string name) {
  CudaImplementation own;
  own.op = "pointer_chase";
  own.name = std::move(name);
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    return make_launch([steps = dims(c).steps, table = static_cast<const int*>(a.inputs[0]),
                        y = static_cast<int*>(a.outputs[0]), stream = context.stream] {
      follow<cache><<<1, 1, 0, stream>>>(table, y, steps);
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return own;
}

}  // namespace

// Named by the first level that may answer.
std::vector<CudaImplementation> cuda_implementations() {
  std::vector<CudaImplementation> all;
  all.push_back(implementation<cuda::Cache::kL1>("l1"));
  all.push_back(implementation<cuda::Cache::kL2>("l2"));
  return all;
}

}  // namespace ridge::pointer_chase
