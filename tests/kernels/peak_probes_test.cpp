// Known answers for the probes of arithmetic peaks and of the clock.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/clock_chain/clock_chain.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge {
namespace {

Work work(const Call& call) { return find_operator(call.op).work(call); }

// The first element of the output, of an input that is given.
double answer(const Call& call, const std::vector<double>& input) {
  const OpSpec& spec = find_operator(call.op);
  validate(spec, call);
  const TensorSpec in = spec.inputs(call).front();
  const HostTensor tensor(in, input.data(), static_cast<int64_t>(input.size()), 0);
  const Element element;
  double value = 0;
  spec.reference(call, {&tensor, 1}, {&element, 1}, {&value, 1});
  return value;
}

TEST(FmaPeak, CountsTwoOperationsAStepAndEightForBytes) {
  const Work real = work({"fma_peak", {1000, 3, 8}, Dtype::kF64, ""});
  EXPECT_EQ(real.flops, 2.0 * 256 * 1000 * 3);
  EXPECT_EQ(real.bytes_read, 8000);
  EXPECT_EQ(real.bytes_written, 8000);
  EXPECT_EQ(ceiling_name(real.pipe, real.arithmetic), "vector.f64");
  const Work half = work({"fma_peak", {1000, 3, 8}, Dtype::kF16, ""});
  EXPECT_EQ(half.bytes_read + half.bytes_written, 2000 + 4000);
  const Work bytes = work({"fma_peak", {1000, 3, 8}, Dtype::kInt8, ""});
  EXPECT_EQ(bytes.flops, 8.0 * 256 * 1000 * 3);
  EXPECT_EQ(bytes.bytes_read + bytes.bytes_written, 8000);
}

TEST(FmaPeak, RealChainsMoveByOneAndBack) {
  EXPECT_EQ(answer({"fma_peak", {1, 1, 1}, Dtype::kF32, ""}, {0.25}), 1.25);
  EXPECT_EQ(answer({"fma_peak", {1, 2, 1}, Dtype::kF32, ""}, {0.25}), 0.25);
  EXPECT_EQ(answer({"fma_peak", {1, 65, 1}, Dtype::kF64, ""}, {0.25}), 1.25);
}

// Step by step, against the reference's closed form.
TEST(FmaPeak, Int32ChainsGoRound) {
  uint32_t x = static_cast<uint32_t>(-5);
  for (int r = 0; r < 3; ++r)
    for (int i = 0; i < 256; ++i) {
      const auto d = (r + i) % 2 == 0 ? fma_peak::kIntFirst : fma_peak::kIntSecond;
      x = x * 1664525u + static_cast<uint32_t>(d);
    }
  EXPECT_EQ(answer({"fma_peak", {1, 3, 1}, Dtype::kInt32, ""}, {-5}), static_cast<int32_t>(x));
}

TEST(FmaPeak, RefusesOtherParallelismByName) {
  try {
    validate(find_operator("fma_peak"), {"fma_peak", {1, 1, 3}, Dtype::kF32, ""});
    FAIL() << "ilp=3 was accepted";
  } catch (const BadInput& e) {
    EXPECT_NE(std::string(e.what()).find("ilp=3"), std::string::npos) << e.what();
  }
}

TEST(FmaPeak, SizesFollowFromWorkersAndLanes) {
  using fma_peak::chains_for;
  EXPECT_EQ(chains_for("avx512", Dtype::kF32, 12, 1), 12 * 16);
  EXPECT_EQ(chains_for("avx2", Dtype::kF64, 8, 4), 8 * 4 * 4);
  EXPECT_EQ(chains_for("sse2", Dtype::kF32, 1, 2), 8);
  EXPECT_EQ(chains_for("ridge", Dtype::kF16, 8, fma_peak::kFullGpuThreads), 512 * 8 * 2);
  EXPECT_EQ(chains_for("ridge", Dtype::kInt8, 8, 1), 8);
}

TEST(FmaPeak, TheWidestInstructionSetIsPreferred) {
  const auto backend = open_cpu_backend(1);
  const auto wide = backend->implementations({"fma_peak", {1, 1, 8}, Dtype::kF32, ""}, nullptr);
  ASSERT_FALSE(wide.empty());
#if defined(__x86_64__)
  EXPECT_EQ(wide.back(), "sse2");
  EXPECT_TRUE(std::is_sorted(wide.begin(), wide.end(), [](const auto& a, const auto& b) {
    return fma_peak::chains_per_instruction(a, Dtype::kF32) >
           fma_peak::chains_per_instruction(b, Dtype::kF32);
  }));
  std::string why;
  EXPECT_TRUE(
      backend->implementations({"fma_peak", {1, 1, 16}, Dtype::kF32, "sse2"}, &why).empty());
  EXPECT_NE(why.find("registers"), std::string::npos) << why;
#endif
}

TEST(MmaPeak, CountsProductsOfThirtyTwoByteRows) {
  // K is 4, 8, 16 and 32 elements.
  const double steps = 2.0 * 16 * 64 * 64 * 5 * 3;
  EXPECT_EQ(work({"mma_peak", {5, 3}, Dtype::kF64, ""}).flops, 4 * steps);
  EXPECT_EQ(work({"mma_peak", {5, 3}, Dtype::kTf32, ""}).flops, 8 * steps);
  EXPECT_EQ(work({"mma_peak", {5, 3}, Dtype::kF16, ""}).flops, 16 * steps);
  EXPECT_EQ(work({"mma_peak", {5, 3}, Dtype::kInt8, ""}).flops, 32 * steps);
  EXPECT_EQ(work({"mma_peak", {5, 3}, Dtype::kF64, ""}).bytes_written, 8.0 * 16 * 64 * 5);
}

TEST(MmaPeak, ToleratesMoreOfHalfPrecisionSums) {
  const OpSpec& spec = find_operator("mma_peak");
  const Call plain{"mma_peak", {1, 1}, Dtype::kF16, "mma_sync"};
  Call half = plain;
  half.implementation = fma_peak::kF16Accumulate;
  EXPECT_GT(spec.tolerance(half), spec.tolerance(plain));
}

TEST(ClockChain, CountsOneOperationAnAddition) {
  const Call call{"clock_chain", {2, 10}, Dtype::kInt32, ""};
  EXPECT_EQ(work(call).flops, 2.0 * 10 * 256);
  const uint32_t sum = 2560u * static_cast<uint32_t>(clock_chain::kStep) + 7u;
  EXPECT_EQ(answer(call, {7, 8}), static_cast<int32_t>(sum));
}

}  // namespace
}  // namespace ridge
