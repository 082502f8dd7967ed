// The shim must find the faults it is there for, and must not find any in right kernels.
#include "tests/shim/cuda_shim.h"
// After the shim:
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/cuda/vector.cuh"

namespace {

enum class Barrier { kPresent, kMissing };

// Sum of a block's values: warp shuffles, then shared memory.
template <Barrier barrier>
__global__ void block_sums(const float* x, float* sums, int count) {
  __shared__ float partial[32];
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  float value = i < count ? x[i] : 0.0f;
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  if (barrier == Barrier::kPresent) __syncthreads();
  if (threadIdx.x == 0) {
    float sum = 0;
    for (unsigned w = 0; w < blockDim.x / 32; ++w) sum += partial[w];
    sums[blockIdx.x] = sum;
  }
}

std::vector<float> sums_of(Barrier barrier, int count, unsigned threads) {
  std::vector<float> x(static_cast<std::size_t>(count));
  std::iota(x.begin(), x.end(), 1.0f);
  const unsigned blocks = (static_cast<unsigned>(count) + threads - 1) / threads;
  std::vector<float> sums(blocks, NAN);
  const shim::Shape shape{.grid = {blocks}, .block = {threads}};
  if (barrier == Barrier::kPresent)
    shim::launch(shape, block_sums<Barrier::kPresent>, x.data(), sums.data(), count);
  else
    shim::launch(shape, block_sums<Barrier::kMissing>, x.data(), sums.data(), count);
  return sums;
}

std::vector<float> expected_sums(int count, int threads) {
  std::vector<float> sums(static_cast<std::size_t>((count + threads - 1) / threads), 0.0f);
  for (int i = 0; i < count; ++i)
    sums[static_cast<std::size_t>(i / threads)] += static_cast<float>(i + 1);
  return sums;
}

TEST(Shim, ReductionsAreRightAtRaggedSizes) {
  for (int count : {1, 31, 32, 255, 256, 1000})
    for (int threads : {32, 128, 1024})
      EXPECT_EQ(sums_of(Barrier::kPresent, count, static_cast<unsigned>(threads)),
                expected_sums(count, threads))
          << count << " values, " << threads << " threads";
}

TEST(Shim, AMissingBarrierGivesAWrongSum) {
  EXPECT_NE(sums_of(Barrier::kMissing, 2048, 256), expected_sums(2048, 256));
}

// Each warp reads what every warp wrote; the next round writes again.
template <Barrier before_overwriting>
__global__ void rounds(int* out) {
  __shared__ unsigned values[8];
  unsigned sum = 0;
  for (unsigned r = 0; r < 3; ++r) {
    if (threadIdx.x % 32 == 0) values[threadIdx.x / 32] = 1000 * r + threadIdx.x;
    __syncthreads();
    for (unsigned w = 0; w < 8; ++w) sum += values[w];
    if (before_overwriting == Barrier::kPresent) __syncthreads();
  }
  out[threadIdx.x] = static_cast<int>(sum);
}

TEST(Shim, AMissingBarrierBeforeOverwritingGivesAWrongSum) {
  const std::vector<int> right(256, 8 * 3000 + 3 * 32 * 28);
  std::vector<int> out(256);
  shim::launch({.block = {256}}, rounds<Barrier::kPresent>, out.data());
  EXPECT_EQ(out, right);
  shim::launch({.block = {256}}, rounds<Barrier::kMissing>, out.data());
  EXPECT_NE(out, right);
}

TEST(Shim, ThreadsThatReturnedAreNotWaitedFor) {
  auto kernel = [](int* out) {
    if (threadIdx.x >= 40) return;
    __syncthreads();
    if (threadIdx.x == 0)
      *out = static_cast<int>(__syncthreads_count(0)) + 7;
    else
      __syncthreads_count(1);
  };
  int out = 0;
  EXPECT_THROW(shim::launch({.block = {64}}, kernel, &out), shim::Failure);  // two places

  auto same_place = [](int* count) {
    if (threadIdx.x >= 40) return;
    const int odd = __syncthreads_count(threadIdx.x % 2);
    if (threadIdx.x == 0) *count = odd;
  };
  shim::launch({.block = {64}}, same_place, &out);
  EXPECT_EQ(out, 20);
}

TEST(Shim, ABarrierThatSomeThreadsNeverReachFails) {
  auto block = [] {
    if (threadIdx.x < 16) __syncthreads();
    __syncwarp();
  };
  EXPECT_THROW(shim::launch({.block = {32}}, block), shim::Failure);
  auto other_barrier = [] {
    if (threadIdx.x < 32) __syncthreads();
    __syncthreads();
  };
  EXPECT_THROW(shim::launch({.block = {64}}, other_barrier), shim::Failure);
}

TEST(Shim, MismatchedWarpOperationsFail) {
  auto different = [](int* out) {
    const int v = static_cast<int>(threadIdx.x);
    out[threadIdx.x] =
        threadIdx.x < 16 ? __shfl_xor_sync(0xffffffffu, v, 1) : __shfl_down_sync(0xffffffffu, v, 1);
  };
  auto not_in_mask = [](int* out) {
    out[threadIdx.x] = __shfl_xor_sync(0xffffu, static_cast<int>(threadIdx.x), 1);
  };
  std::vector<int> out(32);
  EXPECT_THROW(shim::launch({.block = {32}}, different, out.data()), shim::Failure);
  EXPECT_THROW(shim::launch({.block = {32}}, not_in_mask, out.data()), shim::Failure);
}

TEST(Shim, ShufflesFollowTheirWidthAndMask) {
  auto kernel = [](int* out) {
    const int v = static_cast<int>(threadIdx.x);
    int* mine = out + 5 * threadIdx.x;
    mine[0] = __shfl_down_sync(0xffffffffu, v, 3, 8);
    mine[1] = __shfl_up_sync(0xffffffffu, v, 3, 8);
    mine[2] = __shfl_sync(0xffffffffu, v, 9, 8);
    const unsigned half = v < 16 ? 0xffffu : 0xffff0000u;
    mine[3] = __shfl_xor_sync(half, v, 5);
    mine[4] = static_cast<int>(__ballot_sync(half, v % 3 == 0));
  };
  std::vector<int> out(160);
  shim::launch({.block = {32}}, kernel, out.data());
  unsigned votes = 0;
  for (unsigned i = 0; i < 32; i += 3) votes |= 1u << i;
  for (int i = 0; i < 32; ++i) {
    const int* mine = out.data() + 5 * i;
    EXPECT_EQ(mine[0], i % 8 + 3 < 8 ? i + 3 : i);
    EXPECT_EQ(mine[1], i % 8 >= 3 ? i - 3 : i);
    EXPECT_EQ(mine[2], i / 8 * 8 + 1);
    EXPECT_EQ(mine[3], i ^ 5);
    EXPECT_EQ(static_cast<unsigned>(mine[4]), votes & (i < 16 ? 0xffffu : 0xffff0000u));
  }
}

TEST(Shim, ALaneThatIsAbsentReadsAsAllOnes) {
  auto kernel = [](int* out) {
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, static_cast<int>(threadIdx.x), 16);
  };
  std::vector<int> out(24);
  shim::launch({.block = {24}}, kernel, out.data());
  EXPECT_EQ(out[0], 16);
  EXPECT_EQ(out[8], -1);
}

TEST(Shim, DynamicSharedMemoryIsPoisonedAndGuarded) {
  auto kernel = [](float* out, int elements) {
    float* shared = ridge::cuda::dynamic_shared<float>();
    out[0] = shared[0];
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < elements; i += static_cast<int>(blockDim.x))
      shared[i] = 1.0f;
  };
  float out = 0;
  shim::launch({.block = {32}, .shared_bytes = 400}, kernel, &out, 100);
  EXPECT_TRUE(std::isnan(out));
  EXPECT_THROW(shim::launch({.block = {32}, .shared_bytes = 400}, kernel, &out, 101),
               shim::Failure);
}

TEST(Shim, GridsHaveThreeDimensionsAndAtomicsAddUp) {
  auto kernel = [](unsigned* sum) {
    atomicAdd(sum, blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z + 1000 * threadIdx.y);
  };
  unsigned sum = 0;
  shim::launch({.grid = {2, 3, 4}, .block = {4, 2}}, kernel, &sum);
  EXPECT_EQ(sum, 8u * (12u * 1 + 10u * 8 * 3 + 100u * 6 * 6) + 1000u * 24 * 4);
}

TEST(Shim, ImpossibleLaunchesFail) {
  auto kernel = [] {};
  EXPECT_THROW(shim::launch({.block = {1025}}, kernel), shim::Failure);
  EXPECT_THROW(shim::launch({.grid = {1, 65536}}, kernel), shim::Failure);
  EXPECT_THROW(shim::launch({.shared_bytes = 1 << 20}, kernel), shim::Failure);
}

}  // namespace
