// What must hold of any run: random workloads, schedulers, caches, routings.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulator/runs.h"

namespace ridge::sim {
namespace {

constexpr SchedulerKind kKinds[] = {
    SchedulerKind::kStatic,  SchedulerKind::kDynamic, SchedulerKind::kFasterTransformer,
    SchedulerKind::kOrca,    SchedulerKind::kVllmV0,  SchedulerKind::kVllmV1,
    SchedulerKind::kSarathi, SchedulerKind::kVllmV1};

// Affine in what a step holds, so that no two schedules take the same time by accident.
double step_s(const StepLoad& l) {
  return 1e-3 + 1e-5 * static_cast<double>(l.tokens()) +
         1e-8 * static_cast<double>(l.decode_context);
}

WorkloadConfig random_workload(Random& random) {
  WorkloadConfig w;
  w.arrivals.kind = static_cast<ArrivalKind>(random.between(0, 4));
  w.arrivals.rate_per_s = 1 + 40 * random.uniform();
  w.arrivals.variation = 0.3 + 2 * random.uniform();
  w.arrivals.concurrency = random.between(1, 40);
  w.input = {.kind = LengthKind::kLognormal, .mean = 60, .variation = 1, .low = 1, .high = 300};
  w.output = {.kind = LengthKind::kUniform, .low = 1, .high = random.between(1, 80)};
  const int64_t sharing = random.between(0, 2);
  if (sharing == 1) w.sessions = {.turns = 3, .think_s = random.uniform()};
  if (sharing == 2) w.shared_prefix = random.between(1, 100), w.shared_count = 3;
  w.requests = 300;
  w.seed = random.bits();
  return w;
}

ClusterConfig random_cluster(Random& random, SchedulerKind kind) {
  const int64_t size = int64_t{1} << random.between(0, 5);
  // Room for the longest conversation, and not much more.
  ClusterConfig c =
      test::cluster(kind, random.between(1, 40), random.between(1400, 3000) / size + 2, size);
  c.replica.scheduler.token_budget =
      kind == SchedulerKind::kVllmV0 ? 2000 : random.between(40, 400);
  c.replica.batch.prefix_cache = random.between(0, 1) == 1;
  if (kind == SchedulerKind::kVllmV1 && random.between(0, 1) == 1)
    c.replica.scheduler.policy = Policy::kPriority;
  c.replicas = random.between(1, 3);
  c.routing = static_cast<Routing>(random.between(0, 4));
  const bool chunked = kind == SchedulerKind::kVllmV1 || kind == SchedulerKind::kSarathi;
  if (!chunked || random.between(0, 2) > 0) return c;
  c.disaggregation = Disaggregation{.prefill_replicas = random.between(1, 2),
                                    .kv_bytes_per_token = 1e5,
                                    .bandwidth_bytes_per_s = 1e9,
                                    .latency_s = 1e-3,
                                    .prefill = c.replica};
  return c;
}

void expect_conserved(const Outcome& r) {
  int64_t finished = 0;
  for (const Record& x : r.records) {
    if (x.rejected) {
      EXPECT_EQ(x.generated, 0);
      continue;
    }
    ++finished;
    ASSERT_TRUE(x.finished());
    EXPECT_EQ(x.generated, x.arrival.output);
    EXPECT_LE(x.arrival.time_s, x.scheduled_s);
    EXPECT_LT(x.scheduled_s, x.first_token_s);
    EXPECT_LE(x.first_token_s, x.finish_s);
    EXPECT_LT(x.cached, x.arrival.input);
  }
  EXPECT_GT(finished, 0);
  EXPECT_EQ(r.blocks_taken, r.blocks_returned);
}

// Tokens out and between: each token but a request's first is one gap.
void expect_gaps_counted(const Outcome& r, SchedulerKind kind, bool disaggregated) {
  int64_t tokens = 0, gaps = 0;
  for (const Record& x : r.records)
    if (!x.rejected) tokens += x.generated - 1;
  for (const Totals& t : r.totals) gaps += t.between_tokens.count();
  EXPECT_EQ(gaps, tokens) << name(kind) << (disaggregated ? ", disaggregated" : "");
}

TEST(Conservation, OfRequestsTokensBlocksAndTime) {
  Random random(2026);
  for (int i = 0; i < 400; ++i) {
    const SchedulerKind kind = kKinds[i % 8];
    const WorkloadConfig w = random_workload(random);
    const ClusterConfig c = random_cluster(random, kind);
    SCOPED_TRACE(testing::Message() << "run " << i << ", " << name(kind));
    FormulaTime time(step_s);
    const Outcome r = simulate(w, c, time);
    expect_conserved(r);
    expect_gaps_counted(r, kind, c.disaggregation.has_value());
    for (std::size_t k = 1; k < r.records.size(); ++k)
      ASSERT_GE(r.records[k].arrival.time_s, r.records[k - 1].arrival.time_s);
    for (const Totals& t : r.totals) EXPECT_LE(t.busy_s, r.end_s * (1 + 1e-9));
    if (HasFailure()) return;
  }
}

// Decode steps that are run in one go are those that one would run one by one: an arrival at every
// moment stops each run, and here such requests are ones that no replica takes.
TEST(Conservation, OfStepsRunInOneGo) {
  Random random(5);
  for (int i = 0; i < 40; ++i) {
    std::vector<Arrival> requests, disturbed;
    double time_s = 0;
    for (int k = 0; k < 60; ++k) {
      requests.push_back({.time_s = time_s += 0.2 * random.uniform(),
                          .input = random.between(1, 200),
                          .output = random.between(1, 100)});
      disturbed.push_back(requests.back());
    }
    for (int k = 0; k < 10000; ++k)
      disturbed.push_back({.time_s = 1e-3 * k, .input = 1 << 20, .output = 1});
    std::stable_sort(disturbed.begin(), disturbed.end(),
                     [](const Arrival& a, const Arrival& b) { return a.time_s < b.time_s; });
    ClusterConfig c = random_cluster(random, kKinds[i % 8]);
    c.replicas = 1;
    c.disaggregation.reset();
    FormulaTime time(step_s);
    const Outcome whole = simulate(test::trace(requests), c, time);
    Outcome again = simulate(test::trace(disturbed), c, time);
    std::erase_if(again.records, [](const Record& r) { return r.arrival.input == 1 << 20; });
    ASSERT_EQ(whole.records.size(), again.records.size());
    for (std::size_t k = 0; k < whole.records.size(); ++k)
      ASSERT_EQ(whole.records[k].finish_s, again.records[k].finish_s) << i << ": " << k;
  }
}

TEST(Conservation, OfWhatIsUnfinishedWhenARunIsStopped) {
  Random random(11);
  for (int i = 0; i < 80; ++i) {
    const SchedulerKind kind = kKinds[i % 8];
    WorkloadConfig w = random_workload(random);
    ClusterConfig c = random_cluster(random, kind);
    c.stop_s = 2;
    FormulaTime time(step_s);
    for (const Record& x : simulate(w, c, time).records) {
      EXPECT_LT(x.arrival.time_s, 2);
      EXPECT_LE(x.generated, x.arrival.output);
      if (!x.finished()) continue;
      EXPECT_EQ(x.generated, x.arrival.output);
    }
  }
}

TEST(Conservation, TheSameSeedIsTheSameRun) {
  Random random(3);
  WorkloadConfig w = random_workload(random);
  const ClusterConfig c = random_cluster(random, SchedulerKind::kVllmV1);
  FormulaTime time(step_s);
  const Outcome a = simulate(w, c, time), b = simulate(w, c, time);
  w.seed += 1;
  const Outcome other = simulate(w, c, time);
  ASSERT_EQ(a.records.size(), b.records.size());
  bool differs = false;
  for (std::size_t i = 0; i < a.records.size(); ++i) {
    EXPECT_EQ(a.records[i].finish_s, b.records[i].finish_s);
    differs = differs || a.records[i].finish_s != other.records[i].finish_s;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace ridge::sim
