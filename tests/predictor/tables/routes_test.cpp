// The rule of routes.h, step by step: which curves of several tables answer a call.
#include "predictor/tables/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/predictor/tables/synthetic_table.h"

namespace ridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> answering(const Route& r) {
  std::vector<std::string> names;
  for (const CurvePlace& c : r.curves) names.push_back(c.implementation);
  return names;
}

std::vector<NamedTable> tables(const std::vector<std::pair<Origin, SyntheticCurve>>& curves) {
  std::vector<NamedTable> list;
  for (const auto& [origin, curve] : curves)
    list.push_back(synthetic_table("A100", origin, {curve}));
  return list;
}

constexpr Dtype kBf16 = Dtype::kBf16, kF16 = Dtype::kF16;

TEST(Routes, MeasuredCurvesGoBeforeTransferredOnesEvenOfAnotherFramework) {
  const auto list = tables({{Origin::kTransferred, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kBf16, "trtllm"}}});
  const Route r = Routes(list, "vllm").of(a_gemm());
  EXPECT_THAT(answering(r), ElementsAre("trtllm"));
  EXPECT_FALSE(r.transferred);
}

TEST(Routes, TransferredCurvesAnswerWhereNothingWasMeasured) {
  const auto list = tables({{Origin::kTransferred, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"rmsnorm", kBf16, "vllm"}}});
  const Route r = Routes(list, "").of(a_gemm());
  EXPECT_THAT(answering(r), ElementsAre("vllm"));
  EXPECT_TRUE(r.transferred);
}

TEST(Routes, AFewMeasuredCallsAnswerOnlyWhereNothingElseDoes) {
  const SyntheticCurve few{"gemm", kF16, "torch-eager", 1, 0.1, kFewCalls - 1};
  const auto both =
      tables({{Origin::kImported, few}, {Origin::kTransferred, {"gemm", kF16, "vllm"}}});
  EXPECT_THAT(answering(Routes(both, "torch-eager").of(a_gemm(kF16))), ElementsAre("vllm"));
  const auto alone = tables({{Origin::kImported, few}});
  const Route r = Routes(alone, "").of(a_gemm(kF16));
  EXPECT_THAT(answering(r), ElementsAre("torch-eager"));
  EXPECT_FALSE(r.transferred);
}

TEST(Routes, WhatTheHostTimedAnswersLast) {
  NamedTable host = synthetic_table("A100", Origin::kImported, {{"gemm", kF16, "torch-eager"}});
  host.table.provenance["timing"] = kHostTiming;
  const NamedTable other = synthetic_table("A100", Origin::kTransferred, {{"gemm", kF16, "vllm"}});
  EXPECT_THAT(answering(Routes({host, other}, "").of(a_gemm(kF16))), ElementsAre("vllm"));
  EXPECT_THAT(answering(Routes({host}, "").of(a_gemm(kF16))), ElementsAre("torch-eager"));
}

TEST(Routes, TheAskedFrameworkAnswersAlone) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kBf16, "trtllm"}}});
  EXPECT_THAT(answering(Routes(list, "trtllm").of(a_gemm())), ElementsAre("trtllm"));
}

TEST(Routes, AFrameworksTwinDtypeGoesBeforeOtherFrameworks) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kF16, "sarathi/vllm"}}});
  const Route r = Routes(list, "vllm").of(a_gemm(kF16));
  EXPECT_THAT(answering(r), ElementsAre("vllm"));
  EXPECT_EQ(r.dtype, kBf16);
}

TEST(Routes, WithoutAFrameworkAllOfTheDtypeAnswer) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kBf16, "trtllm"}},
                            {Origin::kImported, {"gemm", kF16, "sarathi/vllm"}}});
  EXPECT_THAT(answering(Routes(list, "").of(a_gemm())), ElementsAre("vllm", "trtllm"));
  EXPECT_THAT(answering(Routes(list, "").of(a_gemm(kF16))), ElementsAre("sarathi/vllm"));
}

TEST(Routes, AFrameworkThatNoTableKnowsLeavesItToAll) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kBf16, "trtllm"}}});
  EXPECT_THAT(answering(Routes(list, "sglang").of(a_gemm())), ElementsAre("vllm", "trtllm"));
}

TEST(Routes, TheTwinAnswersWhereNobodyMeasuredTheDtype) {
  const auto list = tables({{Origin::kImported, {"rmsnorm", kF16, "sarathi/vllm"}}});
  const Route r = Routes(list, "").of({"rmsnorm", {16, 4096}, kBf16, {}});
  EXPECT_THAT(answering(r), ElementsAre("sarathi/vllm"));
  EXPECT_EQ(r.dtype, kF16);
  EXPECT_THAT(Routes(list, "").of({"rmsnorm", {16, 4096}, Dtype::kF32, {}}).curves, IsEmpty());
}

TEST(Routes, TablesOfOneImplementationAreOneVoice) {
  const auto list = tables({{Origin::kImported, {"all_reduce", kF16, "nccl-tests", 1, 0.1, 40}},
                            {Origin::kImported, {"all_reduce", kF16, "nccl-tests", 1, 0.1, 50}},
                            {Origin::kImported, {"all_reduce", kF16, "nccl-dgx", 1, 0.1, 60}}});
  const Route r = Routes(list, "").of({"all_reduce", {2, 1 << 20, 8}, kF16, {}});
  ASSERT_THAT(answering(r), ElementsAre("nccl-tests", "nccl-dgx"));
  EXPECT_EQ(r.curves[0].table, 1u) << "the curve of most samples";
}

TEST(Routes, ACalibratedTableSpeaksWithItsMainImplementation) {
  const NamedTable table = synthetic_table(
      "A100", Origin::kCalibrated,
      {{"softmax", kF16, "cudnn", 1, 0.1, 40}, {"softmax", kF16, "ridge", 1, 0.1, 80}});
  EXPECT_THAT(answering(Routes({table}, "").of({"softmax", {16, 64}, kF16, {}})),
              ElementsAre("ridge"));
}

TEST(Routes, ANamedImplementationAnswersItself) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}},
                            {Origin::kImported, {"gemm", kBf16, "trtllm"}}});
  Call call = a_gemm();
  call.implementation = "trtllm";
  EXPECT_THAT(answering(Routes(list, "vllm").of(call)), ElementsAre("trtllm"));
  call.implementation = "cutlass";
  EXPECT_THAT(answering(Routes(list, "vllm").of(call)), ElementsAre("vllm"));
}

TEST(Routes, WhatNoTableKnowsHasNoCurve) {
  const auto list = tables({{Origin::kImported, {"gemm", kBf16, "vllm"}}});
  EXPECT_THAT(Routes(list, "").of({"gemm", {16, 64, 64}, Dtype::kF8E4M3, {}}).curves, IsEmpty());
  EXPECT_THAT(Routes(list, "").of({"softmax", {16, 64}, kBf16, {}}).curves, IsEmpty());
}

TEST(Routes, ImplementationsAreAFrameworksByTheirFirstPart) {
  for (const char* of : {"vllm", "vllm-custom-graph", "vllm/balanced"})
    EXPECT_TRUE(is_of_framework(of, "vllm")) << of;
  for (const char* other : {"sarathi/vllm", "vllm2", "trtllm", ""})
    EXPECT_FALSE(is_of_framework(other, "vllm")) << other;
  EXPECT_FALSE(is_of_framework("vllm", ""));
}

}  // namespace
}  // namespace ridge
