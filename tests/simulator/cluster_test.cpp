// Several replicas, by hand: every step takes a second.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/error_of.h"
#include "tests/simulator/runs.h"

namespace ridge::sim {
namespace {

using test::at;
using testing::ElementsAre;

std::vector<int32_t> replicas(const Outcome& r) {
  std::vector<int32_t> list;
  for (const Record& x : r.records) list.push_back(x.replica);
  return list;
}

ClusterConfig two(Routing routing) {
  ClusterConfig c = test::cluster(SchedulerKind::kVllmV1, 1);
  c.replicas = 2;
  c.routing = routing;
  return c;
}

TEST(Routing, RoundRobinTakesTurns) {
  const Outcome r = test::run({at(0, 1, 9), at(0, 1, 1), at(5, 1, 1)}, two(Routing::kRoundRobin));
  EXPECT_THAT(replicas(r), ElementsAre(0, 1, 0));
  EXPECT_THAT(test::ends(r), ElementsAre(9, 1, 10));  // the third waits behind the first
}

// At t = 0.5 the first replica's step is under way: its request has not ended, though what the step
// will do is known. At t = 1.7 the first serves the third request until 2, the second nobody.
TEST(Routing, LeastOutstandingSeesWhatHasEndedAndNoMore) {
  const Outcome r = test::run({at(0, 1, 1), at(0.5, 1, 1), at(0.6, 1, 1), at(1.7, 1, 1)},
                              two(Routing::kLeastOutstanding));
  EXPECT_THAT(replicas(r), ElementsAre(0, 1, 0, 1));
}

TEST(Routing, PrefixAwareGoesWhereThePromptIs) {
  ClusterConfig c = two(Routing::kPrefixAware);
  c.replica.scheduler.max_sequences = 8;
  c.replica.batch.prefix_cache = true;
  std::vector<Arrival> requests;
  for (int i = 0; i < 6; ++i) {
    requests.push_back(at(3.0 * i, 64, 1));
    requests.back().stream = i % 2;
    requests.back().shared = 48;
  }
  requests[1].time_s = 0;  // both replicas get one, and with it its stream
  const Outcome r = test::run(requests, c);
  EXPECT_THAT(replicas(r), ElementsAre(0, 1, 0, 1, 0, 1));
  for (std::size_t i = 2; i < 6; ++i) EXPECT_EQ(r.records[i].cached, 48);
}

// The prompt [0, 1) on replica 0; half a second for its cache; two more tokens on replica 1.
TEST(Disaggregation, MovesTheCacheBetweenPromptAndDecode) {
  ClusterConfig c = test::cluster(SchedulerKind::kVllmV1);
  c.disaggregation = Disaggregation{.kv_bytes_per_token = 100,
                                    .bandwidth_bytes_per_s = 2500,
                                    .latency_s = 0.1,
                                    .prefill = c.replica};
  const Outcome r = test::run({at(0, 10, 3), at(0, 10, 1)}, c);
  EXPECT_THAT(test::first_tokens(r), ElementsAre(1, 1));
  EXPECT_THAT(test::ends(r), ElementsAre(3.5, 1));
  EXPECT_EQ(r.totals[0].prefill_tokens, 20);
  EXPECT_EQ(r.totals[1].prefill_tokens, 0);
  EXPECT_EQ(r.blocks_taken, r.blocks_returned);
}

TEST(Disaggregation, IsRefusedForSchedulersOfWholePrompts) {
  ClusterConfig c = test::cluster(SchedulerKind::kOrca);
  c.disaggregation = Disaggregation{.bandwidth_bytes_per_s = 1, .prefill = c.replica};
  EXPECT_THAT(error_of([&] { test::run({at(0, 1, 1)}, c); }), testing::HasSubstr("vllm_v1"));
}

// Two clients: each waits for its answer of two seconds, and for nobody else's.
TEST(ClosedLoop, KeepsItsClientsBusy) {
  WorkloadConfig w;
  w.arrivals = {.kind = ArrivalKind::kClosedLoop, .concurrency = 2};
  w.input = {.mean = 4};
  w.output = {.mean = 2};
  w.requests = 6;
  FormulaTime time = test::a_second();
  const Outcome r = simulate(w, test::cluster(SchedulerKind::kVllmV1), time);
  EXPECT_THAT(test::ends(r), ElementsAre(2, 2, 4, 4, 6, 6));
}

}  // namespace
}  // namespace ridge::sim
