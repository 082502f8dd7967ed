// Planted faults: whatever a kernel can plausibly get wrong must be found, and a right result pass.
#include "profilers/verify.h"

#include <gtest/gtest.h>

#include <cstring>

#include "kernels/core/operators.h"
#include "tests/profilers/fake_backend.h"
#include "tests/profilers/test_spec.h"

namespace ridge {
namespace {

constexpr double kAmple_s = 10;

// Runs rmsnorm rows × cols rightly, then lets `harm` change the output.
Verdict planted(std::vector<int64_t> dims,
                const std::function<void(float* y, int64_t rows, int64_t cols)>& harm) {
  FakeBackend fake;
  Arena arena(fake, 3);
  const OpSpec& spec = find_operator("rmsnorm");
  const Call call{"rmsnorm", std::move(dims), Dtype::kF32, ""};
  const auto operands = arena.operands(spec, call, 1);
  const Arguments& arguments = operands.front().arguments;
  const auto launch = make_launch([&] {
    right_rmsnorm(call, arguments);
    harm(static_cast<float*>(arguments.outputs[0]), call.dims[0], call.dims[1]);
  });
  return verify(fake, spec, call, operands.front(), *launch, 17, kAmple_s);
}

TEST(Verify, PassesARightResult) {
  for (const std::vector<int64_t>& dims :
       {std::vector<int64_t>{1, 1}, {3, 7}, {64, 128}, {2000, 1000}}) {
    const Verdict v = planted(dims, [](float*, int64_t, int64_t) {});
    EXPECT_TRUE(v.correct) << v.reason;
    EXPECT_GT(v.checked, 0);
    EXPECT_LT(v.error, 1e-6);
    EXPECT_EQ(v.reason, "");
  }
}

TEST(Verify, ChecksEveryElementWhereThatIsCheap) {
  EXPECT_EQ(planted({64, 128}, [](float*, int64_t, int64_t) {}).checked, 64 * 128);
}

TEST(Verify, FindsOneWrongElementWhereverItIs) {
  for (int64_t at = 0; at < 64 * 128; at += 509) {
    const Verdict v = planted({64, 128}, [&](float* y, int64_t, int64_t) { y[at] += 0.02f; });
    ASSERT_FALSE(v.correct) << at;
    EXPECT_NE(v.reason.find("y[" + std::to_string(at) + "]"), std::string::npos) << v.reason;
  }
}

TEST(Verify, FindsAWrongFirstOrLastElementOfALargeOutput) {
  EXPECT_FALSE(planted({2000, 1000}, [](float* y, int64_t, int64_t) { y[0] = 7; }).correct);
  EXPECT_FALSE(
      planted({2000, 1000}, [](float* y, int64_t r, int64_t c) { y[r * c - 1] = 7; }).correct);
}

TEST(Verify, FindsUnwrittenElements) {
  // A launch that writes nothing, and one that stops short of the ragged tail.
  FakeBackend fake;
  Arena arena(fake, 3);
  const OpSpec& spec = find_operator("rmsnorm");
  for (Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBf16}) {
    const Call call{"rmsnorm", {8, 100}, dtype, ""};
    const auto operands = arena.operands(spec, call, 1);
    const auto nothing = make_launch([] {});
    EXPECT_FALSE(verify(fake, spec, call, operands.front(), *nothing, 1, kAmple_s).correct)
        << name(dtype);
  }
  const Call call{"rmsnorm", {8, 103}, Dtype::kF32, ""};
  const auto operands = arena.operands(spec, call, 1);
  const Arguments& a = operands.front().arguments;
  const auto short_of_the_tail = make_launch([&] {
    auto* y = static_cast<float*>(a.outputs[0]);
    const std::vector<float> before(y, y + 8 * 103);
    right_rmsnorm(call, a);
    for (int64_t row = 0; row < 8; ++row)
      for (int64_t c = 100; c < 103; ++c)
        y[row * 103 + c] = before[static_cast<std::size_t>(row * 103 + c)];
  });
  EXPECT_FALSE(verify(fake, spec, call, operands.front(), *short_of_the_tail, 1, kAmple_s).correct);
}

TEST(Verify, DoesNotTrustWhatAnEarlierRunLeft) {
  // The right result lies in the output from before; a launch that writes nothing must not get
  // credit for it.
  FakeBackend fake;
  Arena arena(fake, 3);
  const OpSpec& spec = find_operator("rmsnorm");
  const Call call{"rmsnorm", {8, 64}, Dtype::kF32, ""};
  const auto operands = arena.operands(spec, call, 1);
  right_rmsnorm(call, operands.front().arguments);
  const auto nothing = make_launch([] {});
  EXPECT_FALSE(verify(fake, spec, call, operands.front(), *nothing, 1, kAmple_s).correct);
}

TEST(Verify, FindsSwappedRowsAndOffByOne) {
  const auto swap_rows = [](float* y, int64_t, int64_t cols) {
    std::swap_ranges(y + cols, y + 2 * cols, y + 2 * cols);
  };
  EXPECT_FALSE(planted({16, 128}, swap_rows).correct);
  const auto shift = [](float* y, int64_t rows, int64_t cols) {
    std::memmove(y + 1, y, static_cast<std::size_t>(rows * cols - 1) * sizeof *y);
  };
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{16, 128}, {2000, 1000}})
    EXPECT_FALSE(planted(dims, shift).correct);
  const auto transpose = [](float* y, int64_t n, int64_t) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < i; ++j) std::swap(y[i * n + j], y[j * n + i]);
  };
  EXPECT_FALSE(planted({32, 32}, transpose).correct);
}

TEST(Verify, FindsNanAndInfinityAndZeros) {
  for (float bad : {NAN, INFINITY, -INFINITY})
    EXPECT_FALSE(planted({4, 64}, [&](float* y, int64_t, int64_t) { y[77] = bad; }).correct) << bad;
  EXPECT_FALSE(planted({4, 64}, [](float* y, int64_t r, int64_t c) {
                 std::fill(y, y + r * c, 0.0f);
               }).correct);
}

TEST(Verify, FindsASmallScaleError) {
  // One part in a thousand: a wrong epsilon or a divisor of n−1.
  EXPECT_FALSE(planted({64, 512}, [](float* y, int64_t r, int64_t c) {
                 for (int64_t i = 0; i < r * c; ++i) y[i] *= 1.001f;
               }).correct);
}

TEST(Verify, HoldsIntegersExactly) {
  FakeBackend fake;
  Arena arena(fake, 3);
  OpSpec spec = copy_spec();
  const Call call{spec.name, {4, 50}, Dtype::kInt8, ""};
  const auto operands = arena.operands(spec, call, 1);
  const Arguments& a = operands.front().arguments;
  int harm = 0;
  const auto launch = make_launch([&] {
    std::memcpy(a.outputs[0], a.inputs[0], 200);
    static_cast<int8_t*>(a.outputs[0])[123] =
        static_cast<int8_t>(static_cast<int8_t*>(a.outputs[0])[123] ^ harm);
  });
  EXPECT_TRUE(verify(fake, spec, call, operands.front(), *launch, 1, kAmple_s).correct);
  harm = 1;
  EXPECT_FALSE(verify(fake, spec, call, operands.front(), *launch, 1, kAmple_s).correct);
}

TEST(Verify, ChecksAtLeastAFewElementsWithoutAnyTime) {
  FakeBackend fake;
  Arena arena(fake, 3);
  const OpSpec& spec = find_operator("rmsnorm");
  const Call call{"rmsnorm", {2000, 1000}, Dtype::kF32, ""};
  const auto operands = arena.operands(spec, call, 1);
  const auto launch = make_launch([&] { right_rmsnorm(call, operands.front().arguments); });
  const Verdict v = verify(fake, spec, call, operands.front(), *launch, 1, 0);
  EXPECT_TRUE(v.correct) << v.reason;
  EXPECT_GE(v.checked, 2);
}

}  // namespace
}  // namespace ridge
