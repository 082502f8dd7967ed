// Quantised weights, and bytes on a GPU.
#include <gtest/gtest.h>

#include "kernels/core/error.h"
#include "kernels/moe/moe.h"
#include "tests/predictor/lowering/kernels_of.h"
#include "tests/predictor/models/published_counts.h"

namespace ridge {
namespace {

Kernel only(const std::vector<Kernel>& kernels, Role role) {
  const auto found = with_role(kernels, role);
  EXPECT_EQ(found.size(), 1u) << name(role);
  return found.at(0);
}

TEST(Quantised, ActivationsMultiplyInTheNarrowDtype) {
  const Model m = find_model("llama-3.1-8b");
  for (const auto& [format, dtype] : {std::pair{WeightFormat::kFp8, Dtype::kF8E4M3},
                                      std::pair{WeightFormat::kInt8, Dtype::kInt8}}) {
    const auto k = kernels_of(m, prefill_of(64), {.precision = {.weights = format}});
    for (const Role r : {Role::kQkv, Role::kOutput, Role::kGateUp, Role::kDown}) {
      EXPECT_EQ(only(k, r).call.dtype, dtype);
      EXPECT_FALSE(only(k, r).work);
    }
    EXPECT_EQ(only(k, Role::kLmHead).call.dtype, Dtype::kBf16);
    EXPECT_EQ(only(k, Role::kPrefillAttention).call.dtype, Dtype::kBf16);
  }
}

// The layers' products are the same; what rounds their inputs and scales their sums is added to
// their roles, and to nothing else.
TEST(Quantised, KernelsOfTheirOwnRoundActivationsAndScaleSums) {
  const Model m = find_model("llama-3.2-1b");  // 16 layers of 2048, 8192 inside
  const Precision int8{.dtype = Dtype::kF32, .weights = WeightFormat::kInt8};
  const How inside{.precision = int8, .fusion = {.qkv = false}};
  How apart = inside;
  apart.fusion.quantise_in_product = false;
  const auto whole = kernels_of(m, prefill_of(64), inside),
             parts = kernels_of(m, prefill_of(64), apart);
  EXPECT_EQ(gemm_flops(whole), gemm_flops(parts));
  const auto count = [](const std::vector<Kernel>& kernels, const char* op, Role role) {
    double sum = 0;
    for (const Kernel& k : kernels)
      if (k.call.op == op && k.role == role) sum += k.count;
    return sum;
  };
  double added = 0;
  for (const auto& [role, products] : {std::pair{Role::kQkv, 3}, std::pair{Role::kOutput, 1},
                                       std::pair{Role::kGateUp, 1}, std::pair{Role::kDown, 1}}) {
    EXPECT_EQ(count(parts, "quantise_rows", role), 16) << name(role);
    EXPECT_EQ(count(parts, "dequantise", role), 16 * products) << name(role);
    EXPECT_EQ(count(whole, "quantise_rows", role) + count(whole, "dequantise", role), 0);
    added += executions(parts, role) - executions(whole, role);
  }
  EXPECT_EQ(added, 16 * (4 + 6));
  for (const Kernel& k : parts) {
    EXPECT_NO_THROW(validate(spec_of(k), k.call));
    if (k.call.op == "quantise_rows") {
      EXPECT_EQ(k.call.dims, (std::vector<int64_t>{64, k.role == Role::kDown ? 8192 : 2048}));
    }
    if (k.call.op == "dequantise" && k.role == Role::kGateUp) {
      EXPECT_EQ(k.call.dims, (std::vector<int64_t>{64, 2 * 8192}));
    }
  }
  apart.precision.dtype = Dtype::kBf16;
  EXPECT_THROW(kernels_of(m, prefill_of(64), apart), BadInput);
  // fp8 products and native ones have no such kernels.
  apart.precision = {.weights = WeightFormat::kFp8};
  EXPECT_EQ(count(kernels_of(m, prefill_of(64), apart), "dequantise", Role::kDown), 0);
  apart.precision = {};
  EXPECT_EQ(count(kernels_of(m, prefill_of(64), apart), "quantise_rows", Role::kDown), 0);
}

TEST(Quantised, WeightsAloneAreReadInTheirBytesAndMultipliedNatively) {
  const Model m = find_model("llama-3.1-8b");
  struct Case {
    WeightFormat format;
    double bytes;
  };
  for (const Case& c :
       {Case{WeightFormat::kInt4, 0.5 + 2.0 / 64}, Case{WeightFormat::kInt8, 1 + 2.0 / 64},
        Case{WeightFormat::kFp8, 1 + 2.0 / 64}}) {
    const Precision p{.weights = c.format, .quantised_activations = false, .group = 64};
    EXPECT_DOUBLE_EQ(p.bytes_per_weight(), c.bytes);
    const Kernel down = only(kernels_of(m, decode_of(100, 3), {.precision = p}), Role::kDown);
    EXPECT_EQ(down.call.dtype, Dtype::kBf16);
    ASSERT_TRUE(down.work);
    EXPECT_DOUBLE_EQ(down.work->bytes_read, 2.0 * 3 * 14336 + c.bytes * 14336 * 4096);
    EXPECT_EQ(down.work->flops, 2.0 * 3 * 14336 * 4096);
    EXPECT_FALSE(only(kernels_of(m, decode_of(100, 3), {.precision = p}), Role::kLmHead).work);
  }
  EXPECT_EQ(Precision{.weights = WeightFormat::kInt4}.bytes_per_weight(), 0.5 + 2.0 / 128);
  EXPECT_EQ(Precision{}.bytes_per_weight(), 2);
}

TEST(Quantised, ExpertsReadFewerBytes) {
  const Model m = find_model("qwen3-30b-a3b");
  const auto experts = [&](const Precision& p) {
    return only(kernels_of(m, decode_of(100, 16), {.precision = p}), Role::kExperts);
  };
  const Kernel native = experts({}), fp8 = experts({.weights = WeightFormat::kFp8}),
               int4 = experts({.weights = WeightFormat::kInt4});
  EXPECT_EQ(fp8.call.dtype, Dtype::kF8E4M3);
  EXPECT_EQ(int4.call.dtype, Dtype::kBf16);
  const double weights = moe::expected_experts(moe::dims(native.call)) * 3 * 2048 * 768;
  EXPECT_NEAR(work_of(native).bytes_read - work_of(fp8).bytes_read, weights, 1e-6 * weights);
  EXPECT_NEAR(work_of(native).bytes_read - work_of(int4).bytes_read,
              (2 - 0.5 - 2.0 / 128) * weights, 1e-6 * weights);
  EXPECT_EQ(work_of(native).flops, work_of(int4).flops);
}

TEST(Precision, ThatNothingRunsInIsRefused) {
  const Model m = find_model("llama-3.2-1b");
  const auto run = [&](const Precision& p) {
    (void)kernels_of(m, prefill_of(8), {.precision = p});
  };
  EXPECT_NO_THROW(run({.dtype = Dtype::kF32, .kv_cache = Dtype::kF32}));
  for (const Dtype wrong : {Dtype::kF8E4M3, Dtype::kInt8, Dtype::kF64, Dtype::kTf32})
    EXPECT_THROW(run({.dtype = wrong}), BadInput);
  EXPECT_THROW(run({.kv_cache = Dtype::kInt32}), BadInput);
  EXPECT_THROW(run({.group = 0}), BadInput);
  EXPECT_THROW(
      kernels_of(find_model("mixtral-8x7b"), prefill_of(8), {.precision = {.dtype = Dtype::kF32}}),
      BadInput);
}

TEST(WeightBytes, AreTwoForEachParameterOnOneGpu) {
  for (const PublishedCount& p : kPublishedCounts)
    EXPECT_EQ(weight_bytes(find_model(p.model), {}, {}), 2 * p.parameters) << p.model;
}

TEST(WeightBytes, ShrinkWithGpusAndBits) {
  const Model m = find_model("llama-3.1-70b");
  const double whole = weight_bytes(m, {}, {});
  const double half = weight_bytes(m, {.tensor = 2}, {});
  EXPECT_GT(half, whole / 2);  // norms are everywhere
  EXPECT_LT(half, whole / 2 * 1.001);
  const double stage = weight_bytes(m, {.pipeline = 2}, {});
  EXPECT_GE(stage, whole / 2);
  EXPECT_LT(stage, whole / 2 * 1.01);
  const double int4 = weight_bytes(m, {}, {.weights = WeightFormat::kInt4});
  const double tables = 2.0 * 2 * 128256 * 8192;
  EXPECT_NEAR((int4 - tables) / (whole - tables), (0.5 + 2.0 / 128) / 2, 1e-4);
  // Tied tables are one on one GPU, and one on each end of a pipeline.
  const Model tied = find_model("llama-3.2-1b");
  EXPECT_GT(2 * weight_bytes(tied, {.pipeline = 2}, {}),
            weight_bytes(tied, {}, {}) + 2.0 * 128256 * 2048);
}

TEST(WeightBytes, OfExpertsAreDividedByEitherParallelism) {
  const Model m = find_model("qwen3-30b-a3b");
  const double experts = 2.0 * 48 * 128 * 3 * 2048 * 768;
  const double rest = weight_bytes(m, {}, {}) - experts;
  EXPECT_DOUBLE_EQ(weight_bytes(m, {.expert = 8, .data = 8}, {}), rest + experts / 8);
  EXPECT_DOUBLE_EQ(weight_bytes(m, {.tensor = 4}, {}),
                   weight_bytes(m, {.tensor = 4, .expert = 4}, {}));
}

TEST(KvBytes, AreOfEachLayerAndHead) {
  const Model m = find_model("llama-3.1-70b");
  EXPECT_EQ(kv_bytes_per_token(m, {}, {}), 2.0 * 80 * 8 * 128 * 2);
  EXPECT_EQ(kv_bytes_per_token(m, {.tensor = 4}, {}), 2.0 * 80 * 2 * 128 * 2);
  EXPECT_EQ(kv_bytes_per_token(m, {.tensor = 16}, {}), 2.0 * 80 * 1 * 128 * 2);
  EXPECT_EQ(kv_bytes_per_token(m, {.pipeline = 3}, {}), 2.0 * 27 * 8 * 128 * 2);
}

}  // namespace
}  // namespace ridge
