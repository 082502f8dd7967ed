// The device code of silu·mul run on the host, one thread after the other: every grid writes every
// element once, and nothing else. (The kernel has no barriers, so the order does not matter.)
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace {
uint3 blockIdx, threadIdx;
dim3 gridDim, blockDim;
}  // namespace

#include "kernels/swiglu/kernels.cuh"
#include "kernels/swiglu/swiglu.h"

namespace ridge::swiglu {
namespace {

constexpr float kUntouched = -12345;

template <bool kPacked>
void run(dim3 grid, dim3 block, const std::vector<float>& gate_up, std::vector<float>& h,
         const Dims& d) {
  gridDim = grid;
  blockDim = block;
  for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
    for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x)
      for (threadIdx.x = 0; threadIdx.x < block.x; ++threadIdx.x)
        silu_mul_rows<float, kPacked>(gate_up.data(), h.data(), d.rows, d.ffn);
}

template <bool kPacked>
void expect_right(const Dims& d, dim3 grid, dim3 block) {
  const auto rows = static_cast<std::size_t>(d.rows), ffn = static_cast<std::size_t>(d.ffn);
  std::vector<float> gate_up(rows * 2 * ffn), h(rows * ffn + 16, kUntouched);
  for (std::size_t i = 0; i < gate_up.size(); ++i) gate_up[i] = 4 * std::sin(static_cast<float>(i));
  run<kPacked>(grid, block, gate_up, h, d);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < ffn; ++c) {
      const double g = gate_up[r * 2 * ffn + c], u = gate_up[r * 2 * ffn + ffn + c];
      ASSERT_NEAR(h[r * ffn + c], g / (1 + std::exp(-g)) * u, 1e-5) << r << " " << c;
    }
  for (std::size_t i = rows * ffn; i < h.size(); ++i) ASSERT_EQ(h[i], kUntouched);
}

TEST(SwigluKernel, EveryGridCoversEveryElement) {
  for (unsigned x : {1u, 3u})
    for (unsigned y : {1u, 2u, 7u})
      for (const Dims& d : {Dims{1, 0, 1}, Dims{5, 0, 17}, Dims{3, 0, 64}, Dims{2, 0, 1001}})
        expect_right<false>(d, dim3(x, y), dim3(32));
}

TEST(SwigluKernel, PacksCoverEveryElement) {
  for (unsigned x : {1u, 3u})
    for (unsigned y : {1u, 7u})
      for (const Dims& d : {Dims{1, 0, 4}, Dims{5, 0, 20}, Dims{3, 0, 1000}})
        expect_right<true>(d, dim3(x, y), dim3(32));
}

TEST(SwigluKernel, SiluKeepsItsLimits) {
  EXPECT_EQ(cuda::silu(0.0f), 0.0f);
  EXPECT_EQ(cuda::silu(200.0f), 200.0f);
  EXPECT_EQ(cuda::silu(-200.0f), 0.0f);  // no NaN where e^x overflows
}

}  // namespace
}  // namespace ridge::swiglu
