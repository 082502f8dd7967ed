// Schedules of whole batches and of Orca, by hand: every step takes a second.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulator/runs.h"

namespace ridge::sim {
namespace {

using test::at;
using test::cluster;
using testing::ElementsAre;

// Batches of two. [0, 1) prompts of both, then a token each a second; the longer has 4.
TEST(StaticBatch, ReturnsAllWithItsLongestAndThenTakesTheNext) {
  const Outcome r = test::run({at(0, 10, 2), at(0, 10, 4), at(0.5, 10, 1), at(2, 10, 3)},
                              cluster(SchedulerKind::kStatic, 2));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1, 5, 5));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 4, 7, 7));
  EXPECT_EQ(r.totals[0].steps, 7);
}

TEST(StaticBatch, TakesWhatWaitsWithoutWaitingForMore) {
  const Outcome r = test::run({at(0, 10, 2), at(0.1, 10, 2)}, cluster(SchedulerKind::kStatic, 8));
  EXPECT_THAT(test::ends(r), ElementsAre(2, 4));
}

// Ended sequences stay among those that are computed: 2 of them in every step until the last ends.
TEST(StaticBatch, ComputesEndedOnesOn) {
  int64_t decodes = 0, tokens = 0;
  FormulaTime time([&](const StepLoad& l) {
    decodes += l.decodes;
    return 1.0;
  });
  const Outcome r =
      simulate(test::trace({at(0, 10, 2), at(0, 10, 5)}), cluster(SchedulerKind::kStatic, 2), time);
  for (const Record& x : r.records) tokens += x.generated;
  EXPECT_EQ(decodes, 8);  // 4 steps of both
  EXPECT_EQ(tokens, 7);
  EXPECT_EQ(r.totals[0].decode_tokens, 5);  // those that were asked for, but for the first two
}

TEST(DynamicBatch, GoesWhenFullOrWhenItsOldestHasWaited) {
  ClusterConfig c = cluster(SchedulerKind::kDynamic, 2);
  c.replica.scheduler.max_wait_s = 3;
  const Outcome r =
      test::run({at(0, 10, 1), at(1, 10, 1), at(10, 10, 1), at(12.5, 10, 1), at(20, 10, 1)}, c);
  EXPECT_THAT(test::ends(r), ElementsAre(2, 2, 13.5, 13.5, 24));
}

TEST(FasterTransformer, LetsEndedOnesLeaveAndNobodyIn) {
  const Outcome r = test::run({at(0, 10, 2), at(0, 10, 4), at(0.5, 10, 1)},
                              cluster(SchedulerKind::kFasterTransformer, 2));
  EXPECT_THAT(test::ends(r), ElementsAre(2, 4, 5));
}

TEST(Orca, FillsAPlaceAsSoonAsItIsFree) {
  const Outcome r =
      test::run({at(0, 10, 2), at(0, 10, 4), at(0.5, 10, 1)}, cluster(SchedulerKind::kOrca, 2));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1, 3));
  EXPECT_THAT(test::ends(r), ElementsAre(2, 4, 3));
}

// 4 blocks of 4 tokens: 8 in and 5 out take 12 places (the last token is not fed back), 3 blocks.
TEST(Orca, AdmitsOnlyWhatItCanKeepToTheEnd) {
  const Outcome r =
      test::run({at(0, 8, 5), at(0, 4, 1), at(0, 4, 1)}, cluster(SchedulerKind::kOrca, 8, 4, 4));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1, 2));
  EXPECT_EQ(r.totals[0].preemptions, 0);
}

// Prompts alone while one waits: the second prompt holds the first one's decode up for a second.
TEST(VllmV0, RunsPromptsBeforeDecodes) {
  const Outcome r = test::run({at(0, 10, 3), at(0.5, 10, 2)}, cluster(SchedulerKind::kVllmV0));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 2));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 3));
  EXPECT_DOUBLE_EQ(r.totals[0].between_tokens.most(), 2);  // of the first, around the prompt
}

TEST(VllmV0, CutsABatchOfPromptsAtItsBudget) {
  ClusterConfig c = cluster(SchedulerKind::kVllmV0, 4);
  c.replica.scheduler.token_budget = 100;
  const Outcome r = test::run({at(0, 60, 1), at(0, 40, 1), at(0, 10, 1)}, c);
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1, 2));
}

// 4 blocks of 4 tokens, no watermark (1 % of 4 is none). Each prompt of 4 fills a block, and at t =
// 1 both get a second one. At t = 2 nobody needs a block, but v0 wants a free one for each
// sequence's turn: the last goes, and its two blocks are enough to compute its 4 + 2 tokens again
// at t = 3.
TEST(VllmV0, PreemptsTheLastWhenNoBlockIsFree) {
  std::vector<std::pair<int64_t, int64_t>> steps;
  FormulaTime time([&](const StepLoad& l) {
    steps.emplace_back(l.decodes, l.prefill_tokens());
    return 1.0;
  });
  const Outcome r = simulate(test::trace({at(0, 4, 8), at(0, 4, 8)}),
                             cluster(SchedulerKind::kVllmV0, 4, 4, 4), time);
  using testing::Pair;
  ASSERT_GE(steps.size(), 4U);
  steps.resize(4);
  EXPECT_THAT(steps, ElementsAre(Pair(0, 8), Pair(2, 0), Pair(1, 0), Pair(0, 6)));
  EXPECT_EQ(r.records[0].preemptions, 0);
  EXPECT_GE(r.records[1].preemptions, 1);
  for (const Record& x : r.records) EXPECT_EQ(x.generated, 8);
}

}  // namespace
}  // namespace ridge::sim
