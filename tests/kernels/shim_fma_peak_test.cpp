#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/fma_peak/kernels.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

template <class T, int kIlp>
void check(Dtype dtype) {
  using L = fma_peak::Lane<T>;
  for (int64_t chains : {1, 15, 2051, 5000})
    for (int rounds : {1, 2, 3}) {
      shim::Case test({"fma_peak", {chains, rounds, kIlp}, dtype, ""});
      const int64_t per_block = fma_peak::kThreads * fma_peak::chains_for("ridge", dtype, kIlp, 1);
      const auto grid = static_cast<unsigned>((chains + per_block - 1) / per_block);
      shim::launch({.grid = {grid}, .block = {fma_peak::kThreads}}, fma_peak::fma_chains<T, kIlp>,
                   test.in<T>(0), test.out<typename L::Out>(0), chains, rounds, L::kM, L::kD1,
                   L::kD2);
      test.check();
    }
}

template <class T>
void check_each(Dtype dtype) {
  check<T, 1>(dtype);
  check<T, 4>(dtype);
  check<T, 12>(dtype);
}

TEST(ShimFmaPeak, RealChainsMoveByOneAndBack) {
  check_each<double>(Dtype::kF64);
  check_each<float>(Dtype::kF32);
  check_each<__half>(Dtype::kF16);
  check_each<__nv_bfloat16>(Dtype::kBf16);
}

TEST(ShimFmaPeak, IntegerChainsAreExact) {
  check_each<int32_t>(Dtype::kInt32);
  check_each<int8_t>(Dtype::kInt8);
}

}  // namespace
}  // namespace ridge
