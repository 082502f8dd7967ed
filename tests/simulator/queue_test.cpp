// Queues whose waiting times are known in closed form.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/simulator/runs.h"

namespace ridge::sim {
namespace {

constexpr int64_t kRequests = 400'000;

WorkloadConfig poisson(double rate_per_s, uint64_t seed) {
  WorkloadConfig w;
  w.arrivals.rate_per_s = rate_per_s;
  w.input = {.mean = 1};
  w.output = {.mean = 1};
  w.requests = kRequests;
  w.seed = seed;
  return w;
}

double mean_wait(const Outcome& r) {
  double sum = 0;
  for (const Record& x : r.records) sum += x.queue_s();
  return sum / static_cast<double>(r.records.size());
}

class Queue : public testing::TestWithParam<double> {};

// Pollaczek and Khinchine: with a constant service of D, W = ρ · D / (2 · (1 − ρ)).
TEST_P(Queue, OfConstantServiceWaitsAsMD1) {
  const double load = GetParam(), service_s = 0.25;
  FormulaTime time([&](const StepLoad&) { return service_s; });
  const Outcome r =
      simulate(poisson(load / service_s, 7), test::cluster(SchedulerKind::kVllmV1, 1), time);
  const double expected = load * service_s / (2 * (1 - load));
  EXPECT_NEAR(mean_wait(r) / expected, 1, 0.03);
  EXPECT_NEAR(r.totals[0].busy_s / r.end_s, load, 0.01);
}

// Latency is exponential of mean 1 / (μ − λ).
TEST_P(Queue, OfExponentialServiceIsMM1) {
  const double load = GetParam(), service_s = 0.1;
  Random random(99);
  FormulaTime time([&](const StepLoad&) { return random.exponential(service_s); });
  const Outcome r =
      simulate(poisson(load / service_s, 8), test::cluster(SchedulerKind::kVllmV1, 1), time);
  const double mean = service_s / (1 - load);
  std::vector<double> latency;
  double sum = 0;
  for (const Record& x : r.records) latency.push_back(x.latency_s()), sum += x.latency_s();
  EXPECT_NEAR(sum / static_cast<double>(kRequests) / mean, 1, 0.04);
  const auto p95 = latency.begin() + static_cast<std::ptrdiff_t>(0.95 * kRequests);
  std::nth_element(latency.begin(), p95, latency.end());
  EXPECT_NEAR(*p95 / (mean * std::log(20.0)), 1, 0.05);
}

INSTANTIATE_TEST_SUITE_P(AtLoads, Queue, testing::Values(0.3, 0.6, 0.8));

// c servers of the same queue never wait longer than one, and all of it is conserved.
TEST(Queue, SharedByReplicasIsShorter) {
  FormulaTime time([](const StepLoad&) { return 0.25; });
  ClusterConfig one = test::cluster(SchedulerKind::kVllmV1, 1), four = one;
  four.replicas = 4;
  four.routing = Routing::kLeastOutstanding;
  const double alone = mean_wait(simulate(poisson(3, 5), one, time));
  const double shared = mean_wait(simulate(poisson(12, 5), four, time));
  EXPECT_LT(shared, alone);
  four.routing = Routing::kRandom;  // four M/D/1 queues of their own
  EXPECT_NEAR(mean_wait(simulate(poisson(12, 5), four, time)) / (0.75 * 0.25 / 0.5), 1, 0.04);
}

}  // namespace
}  // namespace ridge::sim
