#include "predictor/request/compare.h"

#include <gmock/gmock.h>

#include "tests/predictor/request/compare_fixture.h"

namespace ridge {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const Comparison& c) {
  try {
    compare(c, kFake);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

TEST(CompareTarget, IsAGpuOrAnInstance) {
  EXPECT_EQ(find_target("tesla t4").name, "T4");
  EXPECT_EQ(find_target("t4").gpus(), kMostGpus);
  const Target p5 = find_target("P5.48XLARGE");
  EXPECT_EQ(p5.gpu, "H100-SXM");
  EXPECT_EQ(p5.gpus(), 8);
  EXPECT_EQ(find_target("g5.xlarge").gpus(), 1);
}

TEST(CompareTarget, AnUnknownOneIsToldTheNearest) {
  for (const auto& [asked, near] :
       {std::pair{"l40x", "L40S"}, std::pair{"g5.3xlarge", "g5.2xlarge"}, std::pair{"h10", "H100"},
        std::pair{"p4d", "p4d.24xlarge, p4de.24xlarge"}, std::pair{"cpu", "--table"}}) {
    try {
      find_target(asked);
      FAIL() << asked;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr(near));
      EXPECT_THAT(e.what(), HasSubstr(asked));
    }
  }
}

TEST(Compare, TakesTheFewestGpusThatFit) {
  const auto rows = compare(comparison({"h200", "h100", "l40s", "p5.48xlarge"}, {large()}), kFake);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].tensor, 2);  // 141 GB of weights in 141 GB · 0.9
  EXPECT_EQ(rows[1].tensor, 2);
  EXPECT_EQ(rows[2].tensor, 4);
  EXPECT_EQ(rows[3].tensor, 2);
  EXPECT_EQ(rows[3].replicas, 4);
  for (const ComparedRow& r : rows) {
    EXPECT_TRUE(r.fits());
    ASSERT_TRUE(r.prediction);
    EXPECT_EQ(r.prediction->tpot_s.value, 0.0081 / static_cast<double>(r.tensor));
  }
}

TEST(Compare, WhatDoesNotFitIsARowThatSaysHowManyWould) {
  const auto rows = compare(comparison({"g5.xlarge", "t4"}, {large()}), kFake);
  ASSERT_EQ(rows.size(), 2u);
  for (const ComparedRow& r : rows) {
    EXPECT_FALSE(r.fits());
    EXPECT_FALSE(r.prediction);
    EXPECT_EQ(r.problem, "");
    EXPECT_GT(r.memory.total(), r.memory.usable);
  }
  EXPECT_EQ(rows[0].tensor, 1);
  EXPECT_EQ(rows[0].gpus_needed, 8);
  EXPECT_EQ(rows[1].tensor, 8);
  EXPECT_EQ(rows[1].gpus_needed, 16);
}

TEST(Compare, AGivenTensorParallelismIsKept) {
  Comparison c = comparison({"h100", "g5.12xlarge"}, {small()});
  c.tensor = 4;
  for (const ComparedRow& r : compare(c, kFake)) EXPECT_EQ(r.tensor, 4);
  c.tensor = 8;
  const auto rows = compare(c, kFake);
  EXPECT_EQ(rows[0].tensor, 8);
  EXPECT_THAT(rows[1].problem, HasSubstr("g5.12xlarge has 4 GPUs"));
  c.tensor = 3;
  EXPECT_NE(compare(c, kFake)[0].problem, "");
}

TEST(Compare, GpusWithoutBf16RunInF16) {
  const auto rows = compare(comparison({"t4", "l4"}, {small()}), kFake);
  EXPECT_EQ(rows[0].precision.dtype, Dtype::kF16);
  EXPECT_EQ(rows[0].precision.kv_cache, Dtype::kF16);
  EXPECT_EQ(rows[1].precision.dtype, Dtype::kBf16);
}

TEST(Compare, CostIsThatOfAllReplicas) {
  Comparison c = comparison({"p5.48xlarge", "p5.4xlarge", "h100"}, {small()});
  c.batches = {8};
  c.prices = {.instance_usd_per_hour = {{"p5.48xlarge", 80}},
              .gpu_usd_per_hour = {{"H100-SXM", 10}}};
  const auto rows = compare(c, kFake);
  ASSERT_EQ(rows[0].replicas, 8);
  // 256 tokens for each of 8 sequences in each of 8 replicas, for their share of 80 $ an hour.
  const double seconds = rows[0].prediction->total_s.value;
  EXPECT_NEAR(*rows[0].usd_per_million_output, 1e6 * 80 * seconds / 3600 / (256 * 64), 1e-9);
  for (const ComparedRow& r : rows) {  // all have H100s at 10 $
    EXPECT_NEAR(*r.usd_per_million_output, *rows[0].usd_per_million_output, 1e-9);
    EXPECT_NEAR(*r.usd_per_million_output / *r.usd_per_million_tokens, 1280.0 / 256, 1e-9);
  }
  EXPECT_EQ(rows[2].usd_per_hour, 10);
  c.prices = {};
  EXPECT_FALSE(compare(c, kFake)[0].usd_per_hour);
}

TEST(Compare, ShardsOfAGpuWithAPriceAreAllPaid) {
  Comparison c = comparison({"h100"}, {large()});
  c.prices.gpu_usd_per_hour = {{"H100-SXM", 10}};
  EXPECT_EQ(compare(c, kFake)[0].usd_per_hour, 20);
}

TEST(Compare, TheBestBatchKeepsTheLimit) {
  Comparison c = comparison({"h200"}, {small()});
  c.batches = {kBestBatch};
  c.limits.tpot_s = 0.0145;  // 0.008 + 1e-4 · 64.99…: 65 sequences by the fake, rounding aside
  const ComparedRow r = compare(c, kFake)[0];
  EXPECT_NEAR(static_cast<double>(r.batch), 65, 1);
  EXPECT_EQ(r.tensor, 1);
  EXPECT_TRUE(r.within_limits);
  EXPECT_TRUE(r.fits());
  c.limits.tpot_s = 0.005;  // two GPUs: (8 + 0.1 · n) / 2 ms
  const ComparedRow two = compare(c, kFake)[0];
  EXPECT_EQ(two.tensor, 2);
  EXPECT_NEAR(static_cast<double>(two.batch), 20, 1);
  c.limits.tpot_s = 1e-5;
  const ComparedRow none = compare(c, kFake)[0];
  EXPECT_FALSE(none.within_limits);
  EXPECT_EQ(none.batch, 1);
  EXPECT_EQ(none.tensor, 1);
  ASSERT_TRUE(none.prediction);
}

TEST(Compare, WhatCannotBePredictedSaysWhyAndTheRestIsDone) {
  Comparison c = comparison({"h200"}, {small(), small()});
  c.models[0].max_positions = 512;
  const auto rows = compare(c, kFake);
  EXPECT_EQ(rows[0].problem, "context too long");
  EXPECT_FALSE(rows[0].prediction);
  EXPECT_TRUE(rows[1].prediction);
}

TEST(Compare, RowsAreSortedWithinTheirModel) {
  Comparison c = comparison({"t4", "h100", "h200"}, {large(), small()});
  c.batches = {1, 16};
  c.prices.gpu_usd_per_hour = {{"H100-SXM", 10}, {"H200", 5}};
  auto rows = compare(c, kFake);
  sort_rows(rows, SortBy::kCost);
  std::vector<std::string> order;
  for (const ComparedRow& r : rows) order.push_back(r.target.name + " " + std::to_string(r.batch));
  EXPECT_THAT(order,
              ElementsAre("H200 16", "H100-SXM 16", "H200 1", "H100-SXM 1", "T4 1", "T4 16",
                          "H200 16", "H100-SXM 16", "H200 1", "H100-SXM 1", "T4 1", "T4 16"));
  c.limits.tpot_s = 0.009;
  rows = compare(c, kFake);
  sort_rows(rows, SortBy::kThroughput);
  EXPECT_TRUE(rows[6].within_limits);
  EXPECT_FALSE(rows.back().within_limits);
}

TEST(Compare, EmptyAndNegativeAreRefused) {
  const Comparison good = comparison({"h100"}, {small()});
  Comparison c = good;
  c.targets.clear();
  EXPECT_THAT(error_of(c), HasSubstr("no GPUs"));
  c = good;
  c.models.clear();
  EXPECT_THAT(error_of(c), HasSubstr("no models"));
  c = good;
  c.batches.clear();
  EXPECT_THAT(error_of(c), HasSubstr("no batches"));
  c = good;
  c.batches = {-1};
  EXPECT_THAT(error_of(c), HasSubstr("batch=-1"));
  c = good;
  c.input = 0;
  EXPECT_THAT(error_of(c), HasSubstr("input=0"));
  c = good;
  c.output = 0;
  EXPECT_THAT(error_of(c), HasSubstr("output=0"));
}

}  // namespace
}  // namespace ridge
