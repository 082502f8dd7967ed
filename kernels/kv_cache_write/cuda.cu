#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/kv_cache_write/kernels.cuh"
#include "kernels/kv_cache_write/kv_cache_write.h"

namespace ridge::kv_cache_write {

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "kv_cache_write";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    return make_launch([=, rows = d.rows, stream = context.stream,
                        row_bytes = d.width() * static_cast<int64_t>(bytes_per_element(c.dtype))] {
      cuda::with_copy_unit(row_bytes, [&](auto unit) {
        using Unit = decltype(unit);
        const Tensors<Unit> t{.k = static_cast<const Unit*>(a.inputs[0]),
                              .v = static_cast<const Unit*>(a.inputs[1]),
                              .slots = static_cast<const int32_t*>(a.inputs[2]),
                              .k_cache = static_cast<Unit*>(a.outputs[0]),
                              .v_cache = static_cast<Unit*>(a.outputs[1])};
        const int64_t items = row_bytes / static_cast<int64_t>(sizeof(Unit));
        const cuda::RowGrid g = cuda::row_grid(rows, items, 2);
        scatter<<<g.grid, g.block, 0, stream>>>(t, rows, static_cast<int>(items));
      });
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return {own};
}

}  // namespace ridge::kv_cache_write
