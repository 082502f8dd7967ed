#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/elementwise/kernels.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

using cuda::Pack;
using cuda::Reuse;

unsigned blocks(int64_t pieces, int64_t per_block) {
  return static_cast<unsigned>((pieces + per_block - 1) / per_block);
}

template <class F, class T>
void check_map(const char* op, Dtype dtype) {
  for (int64_t count : {1, 7, 8, 1001, 2048, 20011}) {
    shim::Case test({op, {1, count}, dtype, ""});
    const unsigned grid = blocks((count + Pack<T>::kCount - 1) / Pack<T>::kCount,
                                 elementwise::kThreads * elementwise::kUnroll<F>);
    const T* second = test.in<T>(F::kInputs - 1);
    shim::launch({.grid = {grid}, .block = {elementwise::kThreads}},
                 elementwise::map_flat<F, T, Reuse::kStreaming>, test.in<T>(0), second,
                 test.out<T>(0), count);
    test.check();
  }
}

template <class F>
void check_map_in_every_dtype(const char* op) {
  check_map<F, float>(op, Dtype::kF32);
  check_map<F, __half>(op, Dtype::kF16);
  check_map<F, __nv_bfloat16>(op, Dtype::kBf16);
}

TEST(ShimElementwise, MapsEqualTheReference) {
  check_map_in_every_dtype<elementwise::Add>("add");
  check_map_in_every_dtype<elementwise::Mul>("mul");
  check_map_in_every_dtype<elementwise::Silu>("silu");
  check_map_in_every_dtype<elementwise::Gelu>("gelu");
  check_map_in_every_dtype<elementwise::Copy>("copy");
}

template <class T, int kWidth>
void check_silu_mul(Dtype dtype, int64_t rows, int64_t cols) {
  shim::Case test({"silu_mul", {rows, cols}, dtype, ""});
  const unsigned grid = blocks(rows * cols / kWidth,
                               elementwise::kThreads * elementwise::kUnroll<elementwise::SiluMul>);
  shim::launch({.grid = {grid}, .block = {elementwise::kThreads}},
               elementwise::silu_mul<T, kWidth, Reuse::kCached>, test.in<T>(0), test.out<T>(0),
               rows, cols);
  test.check();
}

TEST(ShimElementwise, SiluMulEqualsTheReference) {
  for (int64_t rows : {1, 3, 17}) {
    check_silu_mul<float, 4>(Dtype::kF32, rows, 516);
    check_silu_mul<__half, 8>(Dtype::kF16, rows, 520);
    check_silu_mul<__nv_bfloat16, 8>(Dtype::kBf16, rows, 8);
    check_silu_mul<float, 1>(Dtype::kF32, rows, 1);
    check_silu_mul<__half, 1>(Dtype::kF16, rows, 515);
    check_silu_mul<__nv_bfloat16, 1>(Dtype::kBf16, rows, 77);
  }
}

}  // namespace
}  // namespace ridge
