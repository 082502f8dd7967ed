// A measurement's statistics by hand-computed cases, and its JSON: what is written can be read back
// unchanged, and a line that lacks or distorts a key is refused by that key's name.
#include "profilers/measurement.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {
namespace {

TEST(Summary, OfNothingKnowsNothing) {
  const Summary s = summarize({});
  EXPECT_EQ(s.count, 0u);
  EXPECT_EQ(s.median_s, 0);
  EXPECT_EQ(s.relative_ci, 1);
}

TEST(Summary, OfOneSampleIsThatSampleWithItsMedianUnknown) {
  const Summary s = summarize({3.0});
  EXPECT_EQ(s.count, 1u);
  for (double value : {s.median_s, s.p10_s, s.p90_s, s.mean_s, s.min_s}) EXPECT_EQ(value, 3.0);
  EXPECT_EQ(s.relative_ci, 1);
}

TEST(Summary, OfTwoSamplesInterpolates) {
  const Summary s = summarize({2.0, 1.0});
  EXPECT_DOUBLE_EQ(s.median_s, 1.5);
  EXPECT_DOUBLE_EQ(s.p10_s, 1.1);
  EXPECT_DOUBLE_EQ(s.p90_s, 1.9);
  EXPECT_DOUBLE_EQ(s.mean_s, 1.5);
  EXPECT_EQ(s.min_s, 1.0);
  EXPECT_EQ(s.relative_ci, 1);
}

TEST(Summary, OfFiveSamplesByHand) {
  // Sorted 1 2 3 4 10; quantile q lies at rank 4q. The median's interval is 0.5 ± 0.98/√5.
  const Summary s = summarize({10, 3, 1, 4, 2});
  EXPECT_DOUBLE_EQ(s.median_s, 3);
  EXPECT_DOUBLE_EQ(s.p10_s, 1.4);
  EXPECT_DOUBLE_EQ(s.p90_s, 4 + 0.6 * 6);
  EXPECT_DOUBLE_EQ(s.mean_s, 4);
  EXPECT_EQ(s.min_s, 1);
  const double half = 0.98 / std::sqrt(5.0);
  const double high = 4 + (4 * (0.5 + half) - 3) * 6, low = 1 + 4 * (0.5 - half);
  EXPECT_NEAR(s.relative_ci, (high - low) / 6, 1e-12);
}

TEST(Summary, OfConstantSamplesIsCertain) {
  EXPECT_EQ(summarize(std::vector<double>(5, 2e-6)).relative_ci, 0);
  EXPECT_EQ(summarize(std::vector<double>(100, 2e-6)).relative_ci, 0);
}

rc::Gen<std::vector<double>> times() {
  return rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(1, 1000000), [](int us) { return us * 1e-6; })));
}

RC_GTEST_PROP(Summary, OrderDoesNotMatter, ()) {
  std::vector<double> samples = *times();
  const Summary before = summarize(samples);
  std::reverse(samples.begin(), samples.end());
  std::rotate(samples.begin(), samples.begin() + 1 % static_cast<int>(samples.size()),
              samples.end());
  const Summary after = summarize(samples);
  RC_ASSERT(before.median_s == after.median_s);
  RC_ASSERT(before.p10_s == after.p10_s);
  RC_ASSERT(before.p90_s == after.p90_s);
  RC_ASSERT(before.relative_ci == after.relative_ci);
}

RC_GTEST_PROP(Summary, QuantilesAreOrderedAndScaleWithTheSamples, ()) {
  std::vector<double> samples = *times();
  const Summary s = summarize(samples);
  RC_ASSERT(s.min_s <= s.p10_s && s.p10_s <= s.median_s && s.median_s <= s.p90_s);
  RC_ASSERT(s.p90_s <= *std::max_element(samples.begin(), samples.end()));
  for (double& x : samples) x *= 1024;  // exact in binary
  const Summary scaled = summarize(samples);
  RC_ASSERT(scaled.median_s == 1024 * s.median_s);
  RC_ASSERT(std::fabs(scaled.relative_ci - s.relative_ci) <= 1e-12);
}

Measurement example() {
  Measurement m;
  m.call = {"gemm", {3, 64, 128}, Dtype::kInt8, "onednn"};
  m.method = Method::kGraph;
  m.samples_s = {1.25e-5, 1.5e-5, 0.1};
  m.busy = {1, 0.5, 0.999};
  m.launches_per_sample = 17;
  m.rotation_bytes = int64_t{1} << 40;
  m.detail = "algo 21, \"quoted\"\n, µs";
  m.converged = true;
  m.anchor = true;
  m.telemetry = {{"power_w", 701.5}, {"sm_clock_hz", 1.98e9}};
  m.labels = {"throttled:power", "interfered:1/3"};
  m.run_id = "18c0ffee";
  m.unix_time_s = 1764000000.123;
  m.wall_s = 0.0625;
  return m;
}

void expect_equal(const Measurement& a, const Measurement& b) {
  EXPECT_EQ(a.call, b.call);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.samples_s, b.samples_s);
  EXPECT_EQ(a.busy, b.busy);
  EXPECT_EQ(a.launches_per_sample, b.launches_per_sample);
  EXPECT_EQ(a.rotation_bytes, b.rotation_bytes);
  EXPECT_EQ(a.detail, b.detail);
  EXPECT_EQ(a.converged, b.converged);
  EXPECT_EQ(a.anchor, b.anchor);
  EXPECT_EQ(a.telemetry, b.telemetry);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.run_id, b.run_id);
  EXPECT_EQ(a.unix_time_s, b.unix_time_s);
  EXPECT_EQ(a.wall_s, b.wall_s);
}

Measurement reread(const Measurement& m) {
  return measurement_from_json(nlohmann::json::parse(to_json(m).dump()));
}

TEST(MeasurementJson, RoundTripKeepsEveryField) {
  Measurement m = example();
  expect_equal(reread(m), m);
  for (Status status : {Status::kSkipped, Status::kWrong}) {
    m.status = status;
    m.reason = "y[3] is 7, want 8";
    m.samples_s.clear();
    expect_equal(reread(m), m);
  }
}

RC_GTEST_PROP(MeasurementJson, RoundTripIsExact, ()) {
  Measurement m = example();
  m.samples_s = *times();
  m.busy.assign(m.samples_s.size(), *rc::gen::inRange(1, 1000) / 1000.0);
  m.method = *rc::gen::element(Method::kCold, Method::kStream, Method::kGraph);
  m.call.dims = {*rc::gen::inRange<int64_t>(1, 1 << 24), *rc::gen::inRange<int64_t>(1, 1 << 24),
                 *rc::gen::inRange<int64_t>(1, 1 << 24)};
  m.detail = *rc::gen::string<std::string>();
  for (char& c : m.detail) c = static_cast<char>(c & 0x7f);  // text is UTF-8
  m.rotation_bytes = *rc::gen::arbitrary<int64_t>();
  m.converged = *rc::gen::arbitrary<bool>();
  m.anchor = *rc::gen::arbitrary<bool>();
  const Measurement read = reread(m);
  RC_ASSERT(read.samples_s == m.samples_s);
  RC_ASSERT(read.busy == m.busy);
  RC_ASSERT(read.call == m.call);
  RC_ASSERT(read.method == m.method);
  RC_ASSERT(read.detail == m.detail);
  RC_ASSERT(read.rotation_bytes == m.rotation_bytes);
  RC_ASSERT(read.converged == m.converged);
  RC_ASSERT(read.anchor == m.anchor);
}

std::string refusal(const nlohmann::json& j) {
  try {
    (void)measurement_from_json(j);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "";
}

// Statistics are derived from the samples, and a reason is written only where there is one.
bool derived(const std::string& key) {
  return key == "median_s" || key == "p10_s" || key == "p90_s" || key == "reason";
}

TEST(MeasurementJson, EachMissingKeyIsNamed) {
  const nlohmann::json whole = to_json(example());
  int checked = 0;
  for (const auto& [key, value] : whole.items()) {
    if (derived(key)) continue;
    nlohmann::json j = whole;
    j.erase(key);
    EXPECT_NE(refusal(j).find("'" + key + "'"), std::string::npos) << key << ": " << refusal(j);
    ++checked;
  }
  EXPECT_GE(checked, 16);
}

TEST(MeasurementJson, EachKeyOfAWrongTypeIsNamed) {
  const nlohmann::json whole = to_json(example());
  for (const auto& [key, value] : whole.items()) {
    if (derived(key)) continue;
    nlohmann::json j = whole;
    j[key] = value.is_object() ? nlohmann::json(5) : nlohmann::json{{"wrong", "type"}};
    // A map of numbers takes no text, though it is an object.
    EXPECT_NE(refusal(j).find(key), std::string::npos) << key << ": " << refusal(j);
  }
}

TEST(MeasurementJson, RefusesWhatCannotBeATime) {
  for (const char* bad : {"0", "-1e-5", "null", "\"fast\""}) {
    nlohmann::json j = to_json(example());
    j["samples_s"] = nlohmann::json::array({1e-5, nlohmann::json::parse(bad)});
    EXPECT_NE(refusal(j).find("samples_s"), std::string::npos) << bad;
  }
  nlohmann::json empty = to_json(example());
  empty["samples_s"] = nlohmann::json::array();
  EXPECT_NE(refusal(empty).find("samples"), std::string::npos);
}

TEST(MeasurementJson, RefusesUnknownWordsAndDimsByName) {
  nlohmann::json j = to_json(example());
  j["status"] = "fine";
  EXPECT_NE(refusal(j).find("fine"), std::string::npos);
  j = to_json(example());
  j["method"] = "lukewarm";
  EXPECT_NE(refusal(j).find("lukewarm"), std::string::npos);
  j = to_json(example());
  j["op"] = "divination";
  EXPECT_NE(refusal(j).find("divination"), std::string::npos);
  j = to_json(example());
  j["dims"].erase("n");
  EXPECT_NE(refusal(j).find("dims.n"), std::string::npos) << refusal(j);
  j = to_json(example());
  j["dims"]["k"] = -1;
  EXPECT_NE(refusal(j).find("k=-1"), std::string::npos) << refusal(j);
}

}  // namespace
}  // namespace ridge
