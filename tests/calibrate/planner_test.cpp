// What the planner proposes: new, permitted calls, every group first, then the uncertain ones.
#include "calibrate/planner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "kernels/core/operators.h"
#include "tests/calibrate/test_ceilings.h"

namespace ridge {
namespace {

const Ceilings kCeilings = every_ceiling("Fake 9000");
constexpr PlanLimits kLimits{.max_call_s = 0.05, .max_bytes = int64_t{256} << 20};

std::vector<Group> every_group() {
  std::vector<Group> groups;
  for (const OpSpec& spec : operators())
    for (Dtype dtype : spec.dtypes)
      if (is_swept(spec, dtype)) groups.push_back({spec.name, dtype, "x"});
  return groups;
}

std::optional<Call> next_call(Planner& planner) {
  const auto choice = planner.next();
  return choice ? std::optional(choice->call) : std::nullopt;
}

// An outcome of `call` with that delay factor.
Measurement outcome(const Call& call, double delay, double wall_s) {
  Measurement m;
  m.call = call;
  m.samples_s = {delay * ideal(kCeilings, find_operator(call.op).work(call)).seconds};
  m.wall_s = wall_s;
  return m;
}

Measurement skipped(const Call& call) {
  Measurement m;
  m.call = call;
  m.status = Status::kSkipped;
  m.wall_s = 0.01;
  return m;
}

// In [0, 1): looks random, but is the same each time it is asked for.
double hashed(const Call& call) {
  uint64_t h = 1;
  for (int64_t d : call.dims) {  // splitmix64
    h += static_cast<uint64_t>(d) + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    h ^= h >> 31;
  }
  return static_cast<double>(h >> 40) / static_cast<double>(1 << 24);
}

TEST(Planner, ProposesOnlyWhatTheOperatorAndTheLimitsPermit) {
  for (const Group& group : every_group()) {
    const OpSpec& spec = find_operator(group.op);
    Planner planner({group}, kCeilings, kLimits, 3);
    int proposed = 0;
    for (; proposed < 150; ++proposed) {
      const std::optional<Call> call = next_call(planner);
      if (!call) break;
      ASSERT_NO_THROW(validate(spec, *call)) << to_string(*call);
      EXPECT_LE(ideal(kCeilings, spec.work(*call)).seconds, kLimits.max_call_s) << to_string(*call);
      EXPECT_LE(footprint_bytes(spec, *call), kLimits.max_bytes) << to_string(*call);
      EXPECT_EQ(call->dtype, group.dtype);
      EXPECT_EQ(call->implementation, "x");
    }
    EXPECT_GE(proposed, 20) << group.op << ": its sweep leaves too little to measure";
  }
}

TEST(Planner, NeverRepeatsACallAndComesToAnEnd) {
  Planner planner({{"rmsnorm", Dtype::kF32, "x"}, {"gemm", Dtype::kF32, "x"}}, kCeilings, kLimits,
                  1);
  std::set<Call> seen;
  std::size_t proposed = 0;
  while (const auto call = next_call(planner)) {
    ++proposed;
    ASSERT_TRUE(seen.insert(*call).second) << to_string(*call);
    planner.report(proposed % 5 ? outcome(*call, 1 + hashed(*call), 0.01) : skipped(*call));
    ASSERT_LT(proposed, 5000u);
  }
  EXPECT_GT(proposed, 200u);
}

TEST(Planner, SeedsEveryGroupBeforeItPrefersAny) {
  const std::vector<Group> groups{{"rmsnorm", Dtype::kF32, "a"},
                                  {"rmsnorm", Dtype::kF32, "b"},
                                  {"gemm", Dtype::kF32, "a"},
                                  {"gemm", Dtype::kInt8, "a"}};
  Planner planner(groups, kCeilings, kLimits, 5);
  std::map<Group, int> counts;
  for (std::size_t i = 0; i < Planner::kSeeds * groups.size(); ++i) {
    const auto call = next_call(planner);
    ASSERT_TRUE(call);
    counts[{call->op, call->dtype, call->implementation}] += 1;
    // The dear and noisy group would be avoided, or flooded, were any preferred.
    const bool odd = call->implementation == "b";
    planner.report(outcome(*call, odd ? 1 + 9 * hashed(*call) : 1.5, odd ? 10 : 0.01));
  }
  for (const Group& group : groups) EXPECT_EQ(counts[group], Planner::kSeeds) << group.op;
}

TEST(Planner, SeedsSpreadOverTheShapes) {
  Planner planner({{"rmsnorm", Dtype::kF32, "x"}}, kCeilings, kLimits, 9);
  double low = 1e9, high = 0;
  for (int i = 0; i < 12; ++i) {
    const auto call = next_call(planner);
    ASSERT_TRUE(call);
    planner.report(outcome(*call, 1.5, 0.01));
    const double elements = static_cast<double>(call->dims[0]) * static_cast<double>(call->dims[1]);
    low = std::min(low, elements);
    high = std::max(high, elements);
  }
  EXPECT_LT(low, 1e4);
  EXPECT_GT(high, 1e7);
}

std::vector<Call> proposals(uint64_t seed, int count) {
  Planner planner({{"rmsnorm", Dtype::kF32, "x"}, {"gemm", Dtype::kF32, "x"}}, kCeilings, kLimits,
                  seed);
  std::vector<Call> calls;
  for (int i = 0; i < count; ++i) {
    calls.push_back(next_call(planner).value());
    planner.report(outcome(calls.back(), 1 + hashed(calls.back()), 0.01));
  }
  return calls;
}

TEST(Planner, IsDeterministicForASeedAndOnlyForThat) {
  EXPECT_EQ(proposals(4, 80), proposals(4, 80));
  EXPECT_NE(proposals(4, 80), proposals(5, 80));
}

TEST(Planner, NeverProposesWhatAKilledRunReported) {
  const std::vector<Call> before = proposals(4, 120);
  for (std::size_t kept : {1u, 7u, 24u, 61u, 120u}) {
    for (uint64_t seed : {4u, 99u}) {  // resumed with the same seed, or with another
      Planner planner({{"rmsnorm", Dtype::kF32, "x"}, {"gemm", Dtype::kF32, "x"}}, kCeilings,
                      kLimits, seed);
      std::set<Call> seen;
      for (std::size_t i = 0; i < kept; ++i) {
        planner.report(i % 9 ? outcome(before[i], 1 + hashed(before[i]), 0.01)
                             : skipped(before[i]));
        seen.insert(before[i]);
      }
      for (int i = 0; i < 200; ++i) {
        const auto call = next_call(planner);
        if (!call) break;
        ASSERT_TRUE(seen.insert(*call).second) << to_string(*call) << " again, after " << kept;
        planner.report(outcome(*call, 1 + hashed(*call), 0.01));
      }
    }
  }
}

TEST(Planner, AnAnchorDoesNotCountAsAPointOfTheSweep) {
  Planner planner({{"rmsnorm", Dtype::kF32, "x"}}, kCeilings, kLimits, 4);
  for (int i = 0; i < 50; ++i) {
    Measurement m = outcome({"rmsnorm", {4096, 4096}, Dtype::kF32, "x"}, 1.3, 0.01);
    m.anchor = true;
    planner.report(m);
  }
  EXPECT_EQ(planner.error({"rmsnorm", Dtype::kF32, "x"}), 1);
}

TEST(Planner, GivesUpAGroupThatNeverSucceeds) {
  const Group works{"rmsnorm", Dtype::kF32, "works"}, fails{"rmsnorm", Dtype::kF32, "fails"};
  Planner planner({works, fails}, kCeilings, kLimits, 2);
  int failures = 0, successes = 0;
  for (int i = 0; i < 150; ++i) {
    const auto call = next_call(planner);
    ASSERT_TRUE(call);
    if (call->implementation == "fails") {
      ++failures;
      planner.report(skipped(*call));
    } else {
      ++successes;
      planner.report(outcome(*call, 1.5, 0.01));
    }
  }
  EXPECT_EQ(failures, 8);
  EXPECT_EQ(successes, 142);
}

TEST(Planner, KeepsAGroupThatFailsNowAndThen) {
  const Group group{"rmsnorm", Dtype::kF32, "x"};
  Planner planner({group}, kCeilings, kLimits, 2);
  for (int i = 0; i < 100; ++i) {
    const auto call = next_call(planner);
    ASSERT_TRUE(call) << i;
    planner.report(i % 3 ? skipped(*call) : outcome(*call, 1.5, 0.01));
  }
}

std::map<std::string, int> spent_on(double wall_a_s, double wall_b_s,
                                    const std::function<double(const Call&)>& delay) {
  Planner planner({{"rmsnorm", Dtype::kF32, "a"}, {"rmsnorm", Dtype::kF32, "b"}}, kCeilings,
                  kLimits, 6);
  std::map<std::string, int> counts;
  for (int i = 0; i < 200; ++i) {
    const auto call = next_call(planner);
    if (!call) break;
    counts[call->implementation] += 1;
    planner.report(outcome(*call, delay(*call), call->implementation == "a" ? wall_a_s : wall_b_s));
  }
  return counts;
}

TEST(Planner, MeasuresMoreWhereTheDelayIsLeastCertain) {
  auto counts = spent_on(0.1, 0.1, [](const Call& c) {
    const double smooth = 1.2 + 0.02 * std::log2(static_cast<double>(c.dims[1]));
    return c.implementation == "a" ? smooth : smooth * (1 + 2 * hashed(c));
  });
  EXPECT_GT(counts["b"], 3 * counts["a"]) << counts["a"] << " smooth, " << counts["b"] << " noisy";
}

TEST(Planner, PrefersTheCheaperOfTwoEquallyUncertain) {
  auto counts = spent_on(0.01, 0.1, [](const Call& c) { return 1 + 2 * hashed(c); });
  EXPECT_GT(counts["a"], 3 * counts["b"]) << counts["a"] << " cheap, " << counts["b"] << " dear";
}

TEST(Planner, ErrorFallsToZeroForAConstantDelay) {
  const Group group{"rmsnorm", Dtype::kF32, "x"};
  Planner planner({group}, kCeilings, kLimits, 6);
  EXPECT_EQ(planner.error(group), 1);
  for (int i = 0; i < Planner::kSeeds; ++i)
    planner.report(outcome(next_call(planner).value(), 1.5, 0.01));
  EXPECT_LT(planner.error(group), 0.01);
}

}  // namespace
}  // namespace ridge
