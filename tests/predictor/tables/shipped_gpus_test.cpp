// Every GPU that the project names is answered from the tables that ship.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/core/error.h"
#include "predictor/tables/table_set.h"

namespace ridge {
namespace {

using testing::Contains;
using testing::HasSubstr;

Prediction ask(const TableSet& set, const Call& call) { return set.predict({&call, 1})[0]; }

Call gemm(Dtype dtype = Dtype::kBf16) { return {"gemm", {64, 4096, 4096}, dtype, {}}; }
Call all_reduce() { return {"all_reduce", {2, 1 << 24, 2}, Dtype::kBf16, {}}; }

class ShippedGpu : public testing::TestWithParam<const char*> {};

TEST_P(ShippedGpu, AnswersAModelsKernels) {
  const TableSet set = shipped_tables(GetParam());
  const std::vector<Call> calls{
      gemm(),
      gemm(Dtype::kF16),
      {"gemm", {8192, 28672, 4096}, Dtype::kBf16, {}},
      {"attention_prefill", {1, 2048, 2048, 32, 8, 128}, Dtype::kBf16, {}},
      {"attention_decode", {16, 1100, 32, 8, 128}, Dtype::kBf16, {}},
      {"rmsnorm", {2048, 4096}, Dtype::kBf16, {}},
      {"rope", {2048, 40, 128}, Dtype::kBf16, {}},
      {"silu_mul", {2048, 14336}, Dtype::kBf16, {}},
      all_reduce()};
  for (const Call& call : calls) {
    SCOPED_TRACE(to_string(call));
    const Prediction p = ask(set, call);
    EXPECT_TRUE(std::isfinite(p.seconds));
    EXPECT_GT(p.seconds, 1e-6);
    EXPECT_LT(p.seconds, 0.2);
    EXPECT_LE(p.low_s, p.seconds);
    EXPECT_GE(p.high_s, p.seconds);
    EXPECT_NE(p.basis, Basis::kRoofline) << set.answered_by(call);
  }
}

INSTANTIATE_TEST_SUITE_P(Named, ShippedGpu,
                         testing::Values("T4", "A10G", "L4", "L40S", "A100", "A100_40G", "A100_80G",
                                         "V100", "RTX 4090", "H100", "H200", "B200", "H800", "H20",
                                         "GH200-96GB", "L40", "L20", "RTX-A6000", "RTX-6000-Ada",
                                         "A40", "RTX-PRO-6000-Server", "A100-SXM-40GB",
                                         "A100-PCIe-80GB", "H100-PCIe"),
                         [](const auto& gpu) {
                           std::string name = gpu.param;
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

TEST(ShippedTables, AnAliasIsTheSameGpu) {
  EXPECT_EQ(shipped_tables("NVIDIA H100 80GB HBM3").device().name, "H100-SXM");
  EXPECT_EQ(ask(shipped_tables("a100_80g"), gemm()).seconds,
            ask(shipped_tables("A100"), gemm()).seconds);
}

TEST(ShippedTables, AFrameworksOwnTablesAnswer) {
  const TableSet set = shipped_tables("H200", "trtllm");
  EXPECT_EQ(set.answered_by(gemm()), "gemm bf16: trtllm");
  EXPECT_EQ(set.answered_by(gemm(Dtype::kF16)), "gemm f16: trtllm, measured in bf16");
  EXPECT_EQ(ask(set, gemm()).basis, Basis::kInterpolated);
}

TEST(ShippedTables, AGpuThatDiffersInItsLinkOnlyHasItsSiblingsKernels) {
  const TableSet h100 = shipped_tables("H100"), h800 = shipped_tables("H800");
  EXPECT_EQ(h800.device().name, "H800");
  for (const Call& call :
       {gemm(), Call{"attention_decode", {16, 1100, 32, 8, 128}, Dtype::kBf16, {}},
        Call{"rmsnorm", {2048, 4096}, Dtype::kBf16, {}}}) {
    const Prediction here = ask(h800, call), there = ask(h100, call);
    EXPECT_DOUBLE_EQ(here.seconds, there.seconds) << call.op;
    EXPECT_DOUBLE_EQ(here.low_s, there.low_s) << call.op;
    EXPECT_EQ(here.basis, Basis::kTransferred) << call.op;
  }
  EXPECT_GT(ask(h800, all_reduce()).seconds, 1.3 * ask(h100, all_reduce()).seconds)
      << "its link is slower";
}

TEST(ShippedTables, FasterMemoryMakesDecodeFaster) {
  const Call decode{"attention_decode", {64, 4096, 32, 8, 128}, Dtype::kBf16, {}};
  const double a100 = ask(shipped_tables("A100"), decode).seconds;
  EXPECT_LT(a100, ask(shipped_tables("A100_40G"), decode).seconds);
  EXPECT_LT(ask(shipped_tables("GH200"), decode).seconds, a100);
  EXPECT_LT(a100, ask(shipped_tables("L4"), decode).seconds);
}

TEST(ShippedTables, AnUnknownGpuIsToldWithThoseNearIt) {
  try {
    shipped_tables("H300");
    FAIL();
  } catch (const BadInput& e) {
    EXPECT_THAT(e.what(), HasSubstr("unknown GPU 'H300'; known: H100"));
  }
}

TEST(ShippedTables, EveryGpuThatIsListedLoads) {
  const std::vector<std::string> gpus = gpus_with_tables();
  EXPECT_THAT(gpus, Contains("H800"));
  EXPECT_THAT(gpus, Contains("V100-PCIe-32GB"));
  for (const std::string& gpu : gpus) EXPECT_NO_THROW(shipped_tables(gpu)) << gpu;
}

}  // namespace
}  // namespace ridge
