#include "simulator/workload/workload.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ridge::sim {
namespace {

TEST(Random, HasTheReferencesNumbers) {
  // xoshiro256** of the published C code, seeded with SplitMix64(0): state e220a8397b1dcdaf,
  // 6e789e6aa1b965f4, 06c45d188009454f, f88bb8a8724c81ec.
  Random r(0);
  const uint64_t s1 = 0x6e789e6aa1b965f4U, x = s1 * 5;
  EXPECT_EQ(r.bits(), ((x << 7) | (x >> 57)) * 9);
}

TEST(Random, LogAndExpAreThoseOfTheLibraryToTheLastBits) {
  Random r(1);
  for (int i = 0; i < 20000; ++i) {
    const double x = std::ldexp(r.uniform() + 1e-9, static_cast<int>(r.between(-60, 60)));
    EXPECT_NEAR(portable_log(x), std::log(x), 1e-15 * (1 + std::abs(std::log(x))));
    const double y = 200 * r.uniform() - 100;
    EXPECT_NEAR(portable_exp(y) / std::exp(y), 1, 1e-14);
  }
}

struct Moments {
  double mean = 0, deviation = 0;
};
template <class F>
Moments moments(F draw, int n = 200'000) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean)};
}

TEST(Random, DistributionsHaveTheirMoments) {
  Random r(3);
  const Moments normal = moments([&] { return r.normal(); });
  EXPECT_NEAR(normal.mean, 0, 0.01);
  EXPECT_NEAR(normal.deviation, 1, 0.01);
  const Moments exponential = moments([&] { return r.exponential(3); });
  EXPECT_NEAR(exponential.mean, 3, 0.03);
  EXPECT_NEAR(exponential.deviation, 3, 0.05);
  for (const double shape : {0.25, 1.0, 9.0}) {
    const Moments gamma = moments([&] { return r.gamma(shape); });
    EXPECT_NEAR(gamma.mean / shape, 1, 0.02) << shape;
    EXPECT_NEAR(gamma.deviation / std::sqrt(shape), 1, 0.02) << shape;
  }
}

TEST(Lengths, HaveTheirMeansAndBounds) {
  Random r(4);
  const auto mean_of = [&](const Lengths& l) {
    const LengthSampler s(l);
    return moments(
        [&] {
          const auto x = s.next(r);
          EXPECT_GE(x, l.low);
          EXPECT_LE(x, l.high);
          return static_cast<double>(x);
        },
        50'000);
  };
  EXPECT_EQ(mean_of({.mean = 77}).mean, 77);
  EXPECT_NEAR(mean_of({.kind = LengthKind::kUniform, .low = 10, .high = 20}).mean, 15, 0.1);
  const Moments log = mean_of({.kind = LengthKind::kLognormal, .mean = 500, .variation = 0.5});
  EXPECT_NEAR(log.mean / 500, 1, 0.01);
  EXPECT_NEAR(log.deviation / 250, 1, 0.03);
  // Of two lengths the second has 2^-1 of the first's probability.
  EXPECT_NEAR(mean_of({.kind = LengthKind::kZipf, .low = 5, .high = 6}).mean, 5 + 1.0 / 3, 0.01);
}

double rate_of(const Arrivals& a) {
  WorkloadConfig c;
  c.arrivals = a;
  c.requests = 40'000;
  Workload w(c);
  double last = 0;
  while (w.next_time()) {
    const Arrival next = w.pop();
    EXPECT_GE(next.time_s, last);
    last = next.time_s;
  }
  return 40'000 / last;
}

TEST(Arrivals, ComeAtTheirRate) {
  EXPECT_NEAR(rate_of({.kind = ArrivalKind::kPoisson, .rate_per_s = 5}), 5, 0.1);
  EXPECT_NEAR(rate_of({.kind = ArrivalKind::kDeterministic, .rate_per_s = 5}), 5, 0.01);
  EXPECT_NEAR(rate_of({.kind = ArrivalKind::kGamma, .rate_per_s = 5, .variation = 3}), 5, 0.3);
  EXPECT_NEAR(rate_of({.kind = ArrivalKind::kOnOff, .rate_per_s = 5, .on_s = 2, .off_s = 3}), 2,
              0.05);
}

TEST(Arrivals, OnOffNeverComeWhileOff) {
  WorkloadConfig c;
  c.arrivals = {.kind = ArrivalKind::kOnOff, .rate_per_s = 20, .on_s = 1, .off_s = 2};
  c.requests = 5000;
  Workload w(c);
  while (w.next_time()) EXPECT_LE(std::fmod(w.pop().time_s, 3), 1 + 1e-9);
}

TEST(Sessions, TurnsCarryTheConversationOn) {
  WorkloadConfig c;
  c.arrivals.rate_per_s = 1;
  c.input = {.mean = 10};
  c.output = {.mean = 5};
  c.sessions = {.turns = 3, .think_s = 2};
  c.requests = 100;
  Workload w(c);
  Arrival first = w.pop();
  EXPECT_TRUE(first.extends);
  w.finished(first, 1000);
  // It comes after those of the open process that come before it.
  Arrival next;
  do next = w.pop();
  while (next.turn == 0 && w.next_time());
  EXPECT_EQ(next.time_s, 1002);
  EXPECT_EQ(next.stream, first.stream);
  EXPECT_EQ(next.input, 10 + 5 + 10);
  EXPECT_EQ(next.shared, next.input);
}

}  // namespace
}  // namespace ridge::sim
