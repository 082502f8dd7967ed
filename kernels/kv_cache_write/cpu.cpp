#include "kernels/cpu/context.h"
#include "kernels/kv_cache_write/kv_cache_write.h"
#include "kernels/kv_cache_write/row_copy.h"

namespace ridge::kv_cache_write {
namespace {

// Below this a parallel region costs more than the copy.
constexpr int64_t kParallelBytes = 64 << 10;

struct Tensors {
  const std::byte *k, *v;
  const int32_t* slots;
  std::byte *k_cache, *v_cache;
};

void scatter(const Tensors& t, int64_t rows, int64_t row_bytes) {
  const Store store = store_for(2 * rows * row_bytes);
#pragma omp parallel if (2 * rows * row_bytes > kParallelBytes)
  {
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t slot = t.slots[r];
      copy_row(t.k_cache + slot * row_bytes, t.k + r * row_bytes, row_bytes, store);
      copy_row(t.v_cache + slot * row_bytes, t.v + r * row_bytes, row_bytes, store);
    }
    fence(store);
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "kv_cache_write";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = [](CpuContext&, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    const Tensors t{.k = static_cast<const std::byte*>(a.inputs[0]),
                    .v = static_cast<const std::byte*>(a.inputs[1]),
                    .slots = static_cast<const int32_t*>(a.inputs[2]),
                    .k_cache = static_cast<std::byte*>(a.outputs[0]),
                    .v_cache = static_cast<std::byte*>(a.outputs[1])};
    return make_launch([t, rows = d.rows,
                        row_bytes = d.width() * static_cast<int64_t>(bytes_per_element(c.dtype))] {
      scatter(t, rows, row_bytes);
    });
  };
  return {own};
}

}  // namespace ridge::kv_cache_write
