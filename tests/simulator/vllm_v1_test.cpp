// Decisions of vLLM v1 by hand, from the rules of its scheduler. Every step takes a second.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/error_of.h"
#include "tests/simulator/runs.h"

namespace ridge::sim {
namespace {

using test::at;
using testing::ElementsAre;
using testing::Field;
using testing::Pair;

ClusterConfig v1(int64_t budget, int64_t max_sequences = 8, int64_t blocks = 1 << 20) {
  ClusterConfig c = test::cluster(SchedulerKind::kVllmV1, max_sequences, blocks, 4);
  c.replica.scheduler.token_budget = budget;
  return c;
}

struct Loads {
  std::vector<std::pair<int64_t, int64_t>> steps;  // decodes, prompt tokens
  FormulaTime time{[this](const StepLoad& l) {
    steps.emplace_back(l.decodes, l.prefill_tokens());
    return 1.0;
  }};
};

// Budget 10: the first prompt of 16 is cut to 10 + 6, the second takes the 4 that the first leaves,
// then decodes come first and leave it 9; its last token, behind 13 others, runs as a decode does.
TEST(VllmV1, CutsPromptsToTheBudgetThatDecodesLeave) {
  Loads loads;
  const Outcome r = simulate(test::trace({at(0, 16, 3), at(0, 14, 2)}), v1(10), loads.time);
  EXPECT_THAT(loads.steps,
              ElementsAre(Pair(0, 10), Pair(0, 10), Pair(1, 9), Pair(2, 0), Pair(1, 0)));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(2, 4));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 5));
}

TEST(VllmV1, WithoutChunksWaitsForAWholeBudget) {
  ClusterConfig c = v1(10);
  c.replica.scheduler.chunked_prefill = false;
  Loads loads;
  const Outcome r = simulate(test::trace({at(0, 6, 2), at(0, 5, 1), at(0, 11, 1)}), c, loads.time);
  EXPECT_THAT(loads.steps, ElementsAre(Pair(0, 6), Pair(1, 5)));
  EXPECT_TRUE(r.records[2].rejected);  // longer than any budget
}

TEST(VllmV1, RunsNoMoreSequencesThanAllowed) {
  const Outcome r = test::run({at(0, 4, 3), at(0, 4, 3), at(0, 4, 1)}, v1(100, 2));
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1, 4));
  EXPECT_GT(r.totals[0].sequences_full_s, 0);
}

// Five blocks of 4. Both prompts of 8 take 2 each, and each wants a third for its second token:
// there is one. The second goes (the last admitted); its 8 + 1 tokens are computed again when the
// first, which ends at t = 4, has left. Without a prefix cache all of them.
TEST(VllmV1, PreemptsTheLastAdmittedAndComputesItAgain) {
  Loads loads;
  const Outcome r = simulate(test::trace({at(0, 8, 4), at(0, 8, 4)}), v1(100, 8, 5), loads.time);
  EXPECT_EQ(r.records[0].preemptions, 0);
  EXPECT_EQ(r.records[1].preemptions, 1);
  EXPECT_THAT(loads.steps, ElementsAre(Pair(0, 16), Pair(1, 0), Pair(1, 0), Pair(1, 0), Pair(0, 9),
                                       Pair(1, 0), Pair(1, 0)));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 7));
  EXPECT_DOUBLE_EQ(r.totals[0].between_tokens.most(), 4);  // from 1 to 5
}

// With a prefix cache its two full blocks are found again: nobody took them meanwhile (the first
// needs one block more, and the fifth was free before them). One token is left to compute.
TEST(VllmV1, FindsAPreemptedRequestsBlocksAgain) {
  ClusterConfig c = v1(100, 8, 5);
  c.replica.batch.prefix_cache = true;
  Loads loads;
  const Outcome r = simulate(test::trace({at(0, 8, 4), at(0, 8, 4)}), c, loads.time);
  EXPECT_EQ(r.records[1].preemptions, 1);
  // At t = 2 there are 2 free blocks, and its own 2 are among them; a third for the ninth token is
  // not there until the first ends.
  EXPECT_THAT(loads.steps, ElementsAre(Pair(0, 16), Pair(1, 0), Pair(1, 0), Pair(1, 0), Pair(1, 0),
                                       Pair(1, 0), Pair(1, 0)));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 7));
}

// A long prompt that shares 8 tokens (2 blocks) with one before it computes 4 of its 12.
TEST(VllmV1, ComputesNothingTwiceThatItsCacheHas) {
  ClusterConfig c = v1(100);
  c.replica.batch.prefix_cache = true;
  Arrival a = at(0, 12, 1), b = at(5, 12, 1);
  a.stream = b.stream = 3;
  a.shared = b.shared = 11;  // 2 whole blocks; the third is its own
  Loads loads;
  const Outcome r = simulate(test::trace({a, b}), c, loads.time);
  EXPECT_THAT(loads.steps, ElementsAre(Pair(0, 12), Pair(0, 4)));
  EXPECT_EQ(r.records[1].cached, 8);
}

// Equal prompts of two blocks: the last token is always computed, so only the first is found.
TEST(VllmV1, AlwaysComputesTheLastToken) {
  ClusterConfig c = v1(100);
  c.replica.batch.prefix_cache = true;
  Arrival a = at(0, 8, 1), b = at(5, 8, 1);
  a.stream = b.stream = 0;
  a.shared = b.shared = 8;
  const Outcome r = test::run({a, b}, c);
  EXPECT_EQ(r.records[1].cached, 4);
}

// Priority 1 is less urgent than 0 and goes, though it was admitted first.
TEST(VllmV1, PreemptsTheLeastUrgent) {
  ClusterConfig c = v1(100, 8, 5);
  c.replica.scheduler.policy = Policy::kPriority;
  Arrival patient = at(0, 8, 4), urgent = at(0.5, 8, 4);
  patient.priority = 1;
  const Outcome r = test::run({patient, urgent}, c);
  EXPECT_EQ(r.records[0].preemptions, 1);
  EXPECT_EQ(r.records[1].preemptions, 0);
}

TEST(VllmV1, ServesTheUrgentFirst) {
  ClusterConfig c = v1(100, 1);
  c.replica.scheduler.policy = Policy::kPriority;
  Arrival first = at(0, 4, 2), patient = at(0.1, 4, 1), urgent = at(0.2, 4, 1);
  patient.priority = 1;
  EXPECT_THAT(test::first_tokens(test::run({first, patient, urgent}, c)), ElementsAre(1, 4, 3));
}

TEST(VllmV1, RefusesWhatItsWholeCacheCannotHold) {
  const Outcome r = test::run({at(0, 17, 8), at(0, 17, 4)}, v1(100, 8, 5));
  EXPECT_TRUE(r.records[0].rejected);    // 24 places of 20
  EXPECT_TRUE(r.records[1].finished());  // just 20
}

TEST(VllmV1, RefusesABudgetBelowItsSequences) {
  EXPECT_THAT(error_of([] { test::run({at(0, 1, 1)}, v1(4, 8)); }),
              testing::HasSubstr("token_budget=4 is below max_sequences=8"));
}

// Chunks of a prompt of 20 with a budget of 8; blocks for the whole of it are taken at once, so a
// second one of 8 tokens waits although the first has computed only part.
TEST(Sarathi, TakesAPromptsBlocksAtOnce) {
  ClusterConfig c = test::cluster(SchedulerKind::kSarathi, 8, 6, 4);
  c.replica.scheduler.token_budget = 8;
  Loads loads;
  const Outcome r = simulate(test::trace({at(0, 20, 2), at(0, 8, 1)}), c, loads.time);
  EXPECT_THAT(loads.steps, ElementsAre(Pair(0, 8), Pair(0, 8), Pair(0, 4), Pair(1, 0), Pair(0, 8)));
  EXPECT_THAT(test::ends(r), ElementsAre(4, 5));
}

}  // namespace
}  // namespace ridge::sim
