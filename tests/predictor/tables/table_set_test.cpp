#include "predictor/tables/table_set.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/core/error.h"
#include "roofline/call_ideal.h"
#include "tests/predictor/tables/synthetic_table.h"

namespace ridge {
namespace {

constexpr Dtype kBf16 = Dtype::kBf16;

Prediction ask(const TableSet& set, const Call& call) { return set.predict({&call, 1})[0]; }

double ideal_s(const TableSet& set, const Call& call) {
  return ideal(set.ceilings(), find_operator(call.op).work(call)).seconds;
}

NamedTable imported(const std::vector<SyntheticCurve>& curves) {
  return synthetic_table("A100", Origin::kImported, curves);
}

TEST(TableSet, OneTableAnswersAsItWouldAlone) {
  const NamedTable table = imported({{"gemm", kBf16, "vllm", 1.7}});
  const Prediction set = ask(TableSet({table}), a_gemm()),
                   alone = predict_call(table.table, a_gemm());
  EXPECT_DOUBLE_EQ(set.seconds, alone.seconds);
  EXPECT_DOUBLE_EQ(set.low_s, alone.low_s);
  EXPECT_DOUBLE_EQ(set.high_s, alone.high_s);
  EXPECT_EQ(set.basis, alone.basis);
  EXPECT_EQ(set.bound, alone.bound);
}

TEST(TableSet, SeveralFrameworksArePooledByTheGeometricMean) {
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.2}}),
                      imported({{"gemm", kBf16, "trtllm", 1.5}}),
                      imported({{"gemm", kBf16, "sglang", 2.4}})});
  const double least = ideal_s(set, a_gemm());
  EXPECT_NEAR(ask(set, a_gemm()).seconds / least, std::cbrt(1.2 * 1.5 * 2.4), 1e-7);
  EXPECT_EQ(set.answered_by(a_gemm()), "gemm bf16: vllm, trtllm, sglang pooled");
}

TEST(TableSet, ThePooledIntervalHoldsTheAnswersAndIsNoNarrowerThanTheirs) {
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.2, 0.05}}),
                      imported({{"gemm", kBf16, "trtllm", 2.4, 0.05}})});
  const Prediction p = ask(set, a_gemm());
  const double least = ideal_s(set, a_gemm());
  EXPECT_LE(p.low_s, 1.2 * least);
  EXPECT_GE(p.high_s, 2.4 * least);
  const TableSet agreed({imported({{"gemm", kBf16, "vllm", 1.2, 0.05}}),
                         imported({{"gemm", kBf16, "trtllm", 1.2, 0.15}})});
  const Prediction q = ask(agreed, a_gemm());
  EXPECT_NEAR(std::log(q.high_s / q.seconds), 0.1, 1e-6) << "the mean of theirs";
  EXPECT_NEAR(std::log(q.seconds / q.low_s), 0.1, 1e-6);
}

TEST(TableSet, APooledAnswerHasTheWeakestBasis) {
  NamedTable narrow = imported({{"gemm", kBf16, "trtllm", 1.5}});
  narrow.table.curves[0].dims_high = {8, 64, 64};
  narrow.table.model = std::make_shared<const DelayModel>(narrow.table);
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.2}}), narrow});
  EXPECT_EQ(ask(set, a_gemm()).basis, Basis::kExtrapolated);
  EXPECT_EQ(ask(set, {"gemm", {8, 64, 64}, kBf16, {}}).basis, Basis::kInterpolated);
}

TEST(TableSet, TransferredCurvesSayThatTheyAre) {
  const TableSet set({synthetic_table("A100", Origin::kTransferred, {{"gemm", kBf16, "vllm"}})});
  EXPECT_EQ(ask(set, a_gemm()).basis, Basis::kTransferred);
  EXPECT_EQ(set.answered_by(a_gemm()), "gemm bf16: vllm, transferred");
}

TEST(TableSet, TheTwinDtypeAnswersWithItsOwnTime) {
  const TableSet set({imported({{"rmsnorm", Dtype::kF16, "sarathi/vllm", 1.4}})});
  const Call bf16{"rmsnorm", {4096, 4096}, kBf16, {}};
  EXPECT_NEAR(ask(set, bf16).seconds / ideal_s(set, bf16), 1.4, 1e-7);
  EXPECT_EQ(set.answered_by(bf16), "rmsnorm bf16: sarathi/vllm, measured in f16");
}

TEST(TableSet, WhatNoTableKnowsIsLaunchAndRoofline) {
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.2}})});
  const Call call{"rmsnorm", {4096, 4096}, kBf16, {}};
  const Prediction p = ask(set, call);
  EXPECT_EQ(p.basis, Basis::kRoofline);
  EXPECT_DOUBLE_EQ(p.seconds, kUsualLaunch_s + ideal_s(set, call));
  EXPECT_DOUBLE_EQ(p.low_s, p.seconds);
  EXPECT_GT(p.high_s, p.seconds);
  EXPECT_EQ(set.answered_by(call), "rmsnorm bf16: roofline");
  EXPECT_EQ(ask(set, {"rmsnorm", {1, 64}, kBf16, {}}).bound, Bound::kLaunch);
}

TEST(TableSet, AMeasuredLaunchCostGoesBeforeTheUsualOne) {
  NamedTable table = imported({{"gemm", kBf16, "vllm", 1.2}});
  table.table.launch.graph_s = 2e-6;
  EXPECT_DOUBLE_EQ(TableSet({imported({{"gemm", kBf16, "vllm"}}), table}).launch_s(), 2e-6);
}

TEST(TableSet, ARooflineInADtypeThatTheGpuLacksIsItsTwins) {
  const TableSet set(
      {synthetic_table("T4", Origin::kImported, {{"softmax", Dtype::kF32, "torch"}})});
  EXPECT_DOUBLE_EQ(ask(set, a_gemm(kBf16)).seconds, ask(set, a_gemm(Dtype::kF16)).seconds);
  EXPECT_THROW(ask(set, a_gemm(Dtype::kF8E4M3)), BadInput) << "no such pipe, and no twin";
}

TEST(TableSet, ManyCallsAnswerAsOneByOne) {
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.2}, {"softmax", kBf16, "vllm", 1.9}}),
                      imported({{"gemm", kBf16, "trtllm", 1.5}})});
  std::vector<Call> calls;
  for (int64_t m = 1; m <= 64; ++m) {
    calls.push_back({"gemm", {m, 4096, 4096}, kBf16, {}});
    calls.push_back({"softmax", {m % 3 + 1, 4096}, kBf16, {}});
    calls.push_back({"rmsnorm", {m, 4096}, kBf16, {}});
  }
  const std::vector<Prediction> all = set.predict(calls);
  ASSERT_EQ(all.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Prediction one = ask(set, calls[i]);
    EXPECT_DOUBLE_EQ(all[i].seconds, one.seconds) << to_string(calls[i]);
    EXPECT_EQ(all[i].basis, one.basis);
  }
}

TEST(TableSet, AKernelsOwnWorkScalesWhatIsAboveTheLaunch) {
  const TableSet set({imported({{"gemm", kBf16, "vllm", 1.5}})});
  const Work whole = find_operator("gemm").work(a_gemm());
  Work quarter = whole;  // of a product bound by DRAM: weights of 4 bits
  quarter.bytes_read /= 4;
  quarter.bytes_written /= 4;
  const std::vector<Kernel> kernels{{.call = a_gemm(), .work = {}},
                                    {.call = a_gemm(), .work = whole},
                                    {.call = a_gemm(), .work = quarter}};
  const auto p = set.predict(kernels);
  EXPECT_DOUBLE_EQ(p[0].seconds, ask(set, a_gemm()).seconds);
  EXPECT_NEAR(p[1].seconds / p[0].seconds, 1, 1e-12);
  EXPECT_NEAR(p[2].seconds, kUsualLaunch_s + (p[0].seconds - kUsualLaunch_s) / 4, 1e-12);
  EXPECT_LT(p[2].low_s, p[2].seconds);
  EXPECT_GT(p[2].high_s, p[2].seconds);
}

TEST(TableSet, TablesMustBeOfOneDevice) {
  EXPECT_THROW(TableSet({}), BadInput);
  try {
    TableSet({synthetic_table("A100", Origin::kImported, {{"gemm", kBf16, "vllm"}}),
              synthetic_table("T4", Origin::kImported, {{"gemm", Dtype::kF16, "vllm"}})});
    FAIL();
  } catch (const BadInput& e) {
    EXPECT_NE(std::string(e.what()).find("T4 table"), std::string::npos) << e.what();
  }
}

TEST(TableSet, ACallThatItsOperatorDoesNotTakeIsRefused) {
  const TableSet set({imported({{"gemm", kBf16, "vllm"}})});
  EXPECT_THROW(ask(set, {"gemm", {0, 64, 64}, kBf16, {}}), BadInput);
  EXPECT_THROW(ask(set, {"rmsnorm", {16}, kBf16, {}}), BadInput);
  EXPECT_THROW(ask(set, {"fft", {16}, kBf16, {}}), BadInput);
}

}  // namespace
}  // namespace ridge
