#include <fmt/format.h>

#include "kernels/cuda/lt_matmul.h"

namespace ridge::cuda {

std::string lt_unsupported(const CudaContext& context, const LtMatmul& p) {
  const int sm = context.sm();
  if ((p.dtype == Dtype::kTf32 || p.dtype == Dtype::kBf16) && sm < 80)
    return fmt::format("{} needs compute capability 8.0, this is {}.{}", name(p.dtype), sm / 10,
                       sm % 10);
  auto multiple = [](const char* axis, int64_t value, int of, const char* what) {
    if (value % of == 0) return std::string();
    return fmt::format("{}={} must be a multiple of {} for {}; pad {}", axis, value, of, what,
                       axis);
  };
  if (p.dtype == Dtype::kF8E4M3) {
    if (sm < 89)
      return fmt::format("fp8 needs compute capability 8.9, this is {}.{}", sm / 10, sm % 10);
    if (p.right != Right::kNK || p.batch != 1) return "fp8 is for A · W^T, one product at a time";
    // 16-byte aligned rows of A and W, and whole fp8 tiles of D; m is free.
    if (auto why = multiple("k", p.k, 16, "fp8"); !why.empty()) return why;
    return multiple("n", p.n, 16, "fp8");
  }
  if (p.dtype == Dtype::kInt8) {
    if (p.right != Right::kNK || p.batch != 1) return "int8 is for A · W^T, one product at a time";
    if (auto why = multiple("k", p.k, 4, "int8"); !why.empty()) return why;
    return multiple("n", p.n, 4, "int8");
  }
  return "";
}

}  // namespace ridge::cuda
