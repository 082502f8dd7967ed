#include "kernels/bmm/bmm.h"
#include "kernels/cpu/dnnl_matmul.h"

namespace ridge::bmm {

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation onednn;
  onednn.op = "bmm";
  onednn.name = "onednn";
  onednn.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  onednn.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const auto [b, m, n, k] = dims(c);
    std::string detail;
    auto run = bind_batched_matmul(
        context, {.batch = b, .m = m, .n = n, .k = k}, static_cast<const float*>(a.inputs[0]),
        static_cast<const float*>(a.inputs[1]), static_cast<float*>(a.outputs[0]), &detail);
    return make_launch(std::move(run), detail);
  };
  return {onednn};
}

}  // namespace ridge::bmm
