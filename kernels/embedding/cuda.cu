#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/embedding/embedding.h"
#include "kernels/embedding/kernels.cuh"

namespace ridge::embedding {

std::vector<CudaImplementation> cuda_implementations() {
  CudaImplementation own;
  own.op = "embedding";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    const auto [rows, cols, vocab] = dims(c);
    return make_launch([=, rows = rows, stream = context.stream,
                        row_bytes = cols * static_cast<int64_t>(bytes_per_element(c.dtype))] {
      cuda::with_copy_unit(row_bytes, [&](auto unit) {
        using Unit = decltype(unit);
        const int64_t items = row_bytes / static_cast<int64_t>(sizeof(Unit));
        const cuda::RowGrid g = cuda::row_grid(rows, items);
        gather<<<g.grid, g.block, 0, stream>>>(
            static_cast<const int32_t*>(a.inputs[0]), static_cast<const Unit*>(a.inputs[1]),
            static_cast<Unit*>(a.outputs[0]), rows, static_cast<int>(items));
      });
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return {own};
}

}  // namespace ridge::embedding
