#include <gtest/gtest.h>

#include "kernels/core/error.h"
#include "predictor/tables/table_set.h"
#include "tests/predictor/tables/synthetic_table.h"

namespace ridge {
namespace {

constexpr Dtype kF16 = Dtype::kF16;

TableSet t4() {
  return TableSet({synthetic_table("T4", Origin::kImported,
                                   {{"gemm", kF16, "vllm", 1.2}, {"gemm", kF16, "trtllm", 1.5}})});
}

Prediction ask(const TableSet& set, const Call& call) { return set.predict({&call, 1})[0]; }

const Call kGemm{"gemm", {16, 4096, 4096}, kF16, {}};
const Call kBmm{"bmm", {32, 128, 128, 64}, kF16, {}};
const Call kDecode{"attention_decode", {4, 1024, 32, 8, 128}, kF16, {}};
const Call kNorm{"rmsnorm", {16, 4096}, kF16, {}};

TEST(FineTune, MultipliesAnswersAndTheirIntervals) {
  TableSet set = t4();
  const Prediction before = ask(set, kGemm), other = ask(set, kNorm);
  set.fine_tune("gemm", 0.8);
  const Prediction after = ask(set, kGemm);
  EXPECT_DOUBLE_EQ(after.seconds, 0.8 * before.seconds);
  EXPECT_DOUBLE_EQ(after.low_s, 0.8 * before.low_s);
  EXPECT_DOUBLE_EQ(after.high_s, 0.8 * before.high_s);
  EXPECT_DOUBLE_EQ(ask(set, kNorm).seconds, other.seconds);
}

TEST(FineTune, ActsOnWhatOnlyTheRooflineKnows) {
  TableSet set = t4();
  const double before = ask(set, kNorm).seconds;
  set.fine_tune("rmsnorm", 1.3);
  EXPECT_DOUBLE_EQ(ask(set, kNorm).seconds, 1.3 * before);
}

TEST(FineTune, FirstGenerationNamesActOnAllThatTheyCoveredThen) {
  struct Case {
    const char* name;
    std::vector<Call> acted;
  };
  for (const Case& c : {Case{"Linear_GEMM", {kGemm}}, Case{"BMM", {kBmm, kDecode}},
                        Case{"Grouped_Query_Attention", {kDecode}}, Case{"RMS_Norm", {kNorm}},
                        Case{"Elementwise_Add", {{"add", {16, 64}, kF16, {}}}},
                        Case{"SwiGLU_MLP", {{"silu_mul", {16, 64}, kF16, {}}}},
                        Case{"Softmax", {{"softmax", {16, 64}, kF16, {}}}}}) {
    TableSet set = t4();
    for (const Call& call : c.acted) {
      const double before = ask(t4(), call).seconds;
      set = t4();
      set.fine_tune(c.name, 1.1);
      EXPECT_DOUBLE_EQ(ask(set, call).seconds, 1.1 * before) << c.name << " " << call.op;
    }
  }
}

TEST(FineTune, FactorsOfOneOperatorMultiply) {
  TableSet set = t4();
  const double before = ask(set, kDecode).seconds;
  set.fine_tune("BMM", 0.8);
  set.fine_tune("attention_decode", 1.5);
  EXPECT_DOUBLE_EQ(ask(set, kDecode).seconds, 0.8 * 1.5 * before);
}

TEST(FineTune, RefusesUnknownOperatorsAndFactorsThatAreNone) {
  TableSet set = t4();
  const double before = ask(set, kGemm).seconds;
  EXPECT_THROW(set.fine_tune("Linear_GEM", 1.1), BadInput);
  for (const double bad : {0.0, -1.0, double(NAN), double(INFINITY)})
    EXPECT_THROW(set.fine_tune("gemm", bad), BadInput);
  EXPECT_DOUBLE_EQ(ask(set, kGemm).seconds, before);
}

}  // namespace
}  // namespace ridge
