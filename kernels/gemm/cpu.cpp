#include "kernels/cpu/dnnl_matmul.h"
#include "kernels/gemm/gemm.h"

namespace ridge::gemm {

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation onednn;
  onednn.op = "gemm";
  onednn.name = "onednn";
  onednn.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 || c.dtype == Dtype::kInt8 ? "" : "only f32 and int8";
  };
  onednn.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const auto [m, n, k] = dims(c);
    std::string detail;
    auto run = bind_packed_matmul(context, {.m = m, .n = n, .k = k, .dtype = c.dtype}, a, &detail);
    return make_launch(std::move(run), detail + ", weights packed");
  };
  return {onednn};
}

}  // namespace ridge::gemm
