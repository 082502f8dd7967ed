#include "kernels/cpu/context.h"
#include "kernels/embedding/embedding.h"
#include "kernels/kv_cache_write/row_copy.h"

namespace ridge::embedding {
namespace {

// Below this a parallel region costs more than the copy.
constexpr int64_t kParallelBytes = 64 << 10;

void gather(const int32_t* ids, const std::byte* table, std::byte* out, int64_t rows,
            int64_t row_bytes) {
  const Store store = store_for(rows * row_bytes);
#pragma omp parallel if (rows * row_bytes > kParallelBytes)
  {
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows; ++r)
      copy_row(out + r * row_bytes, table + ids[r] * row_bytes, row_bytes, store);
    fence(store);
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "embedding";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = [](CpuContext&, const Call& c, const Arguments& a) {
    const auto [rows, cols, vocab] = dims(c);
    return make_launch([ids = static_cast<const int32_t*>(a.inputs[0]),
                        table = static_cast<const std::byte*>(a.inputs[1]),
                        out = static_cast<std::byte*>(a.outputs[0]), rows = rows,
                        row_bytes = cols * static_cast<int64_t>(bytes_per_element(c.dtype))] {
      gather(ids, table, out, rows, row_bytes);
    });
  };
  return {own};
}

}  // namespace ridge::embedding
