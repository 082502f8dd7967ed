#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/fma_peak/kernels.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

template <class T>
void check(Dtype dtype) {
  using namespace fma_peak;
  for (int64_t chains : {1, 15, 2051, 5000})
    for (int rounds : {1, 3}) {
      shim::Case test({"fma_peak", {chains, rounds}, dtype, ""});
      const int64_t per_block = int64_t{kThreads} * kChainsPerThread<T>;
      const auto grid = static_cast<unsigned>((chains + per_block - 1) / per_block);
      shim::launch({.grid = {grid}, .block = {kThreads}}, fma_chains<T>, test.in<T>(0),
                   test.out<float>(0), chains, rounds, static_cast<float>(kFirst),
                   static_cast<float>(kSecond));
      test.check();
    }
}

TEST(ShimFmaPeak, ChainsEndAtTheirFixedPoint) {
  check<float>(Dtype::kF32);
  check<__half>(Dtype::kF16);
  check<__nv_bfloat16>(Dtype::kBf16);
}

}  // namespace
}  // namespace ridge
