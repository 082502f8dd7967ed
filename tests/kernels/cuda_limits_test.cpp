// What cuBLASLt's documentation refuses is refused before it is called, with words that help.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/lt_matmul.h"

namespace ridge::cuda {
namespace {

using testing::HasSubstr;

std::string why(int sm, const LtMatmul& problem) {
  CudaContext context;
  context.properties.major = sm / 10;
  context.properties.minor = sm % 10;
  return lt_unsupported(context, problem);
}

LtMatmul gemm(Dtype dtype, int64_t m, int64_t n, int64_t k) {
  return {.m = m, .n = n, .k = k, .dtype = dtype};
}

TEST(LtLimits, Fp8NeedsAlignedFeaturesButAnyTokens) {
  EXPECT_EQ(why(90, gemm(Dtype::kF8E4M3, 1, 4096, 4096)), "");
  EXPECT_EQ(why(89, gemm(Dtype::kF8E4M3, 17, 16, 32)), "");
  EXPECT_EQ(why(90, gemm(Dtype::kF8E4M3, 16, 64, 100)),
            "k=100 must be a multiple of 16 for fp8; pad k");
  EXPECT_EQ(why(90, gemm(Dtype::kF8E4M3, 16, 72, 64)),
            "n=72 must be a multiple of 16 for fp8; pad n");
  EXPECT_EQ(why(86, gemm(Dtype::kF8E4M3, 16, 64, 64)),
            "fp8 needs compute capability 8.9, this is 8.6");
}

TEST(LtLimits, Int8NeedsMultiplesOfFour) {
  EXPECT_EQ(why(75, gemm(Dtype::kInt8, 3, 64, 64)), "");
  EXPECT_THAT(why(75, gemm(Dtype::kInt8, 3, 64, 66)), HasSubstr("k=66"));
  EXPECT_THAT(why(90, gemm(Dtype::kInt8, 3, 17, 64)), HasSubstr("n=17"));
}

TEST(LtLimits, TuringHasNoBf16AndNoTf32) {
  EXPECT_EQ(why(75, gemm(Dtype::kBf16, 8, 8, 8)), "bf16 needs compute capability 8.0, this is 7.5");
  EXPECT_THAT(why(75, gemm(Dtype::kTf32, 8, 8, 8)), HasSubstr("tf32"));
  EXPECT_EQ(why(80, gemm(Dtype::kBf16, 8, 8, 8)), "");
}

TEST(LtLimits, RaggedFloatProductsAreTaken) {
  for (Dtype t : {Dtype::kF32, Dtype::kTf32, Dtype::kF16, Dtype::kBf16, Dtype::kF64})
    EXPECT_EQ(why(80, gemm(t, 3, 17, 5)), "") << name(t);
  EXPECT_EQ(why(75, gemm(Dtype::kF64, 3, 17, 5)), "");
}

TEST(LtLimits, NarrowBatchesAreRefused) {
  LtMatmul p = gemm(Dtype::kF8E4M3, 16, 16, 16);
  p.batch = 2;
  EXPECT_THAT(why(90, p), HasSubstr("one product at a time"));
}

}  // namespace
}  // namespace ridge::cuda
