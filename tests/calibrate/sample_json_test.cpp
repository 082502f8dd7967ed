#include "calibrate/sample_json.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "calibrate/delay_model.h"
#include "calibrate/json_text.h"
#include "kernels/core/call_json.h"
#include "kernels/core/error.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using fixture::gemm;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const DelayTable& fitted() {
  static const DelayTable t = fixture::table(12);
  return t;
}

std::string refused(const json& j) {
  try {
    table_from_json(j, "t.json");
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

// The table as version 2 wrote it: an object for each sample.
json version_2(const DelayTable& t) {
  json j = table_to_json(t);
  j["schema_version"] = 2;
  j["samples"] = json::array();
  for (const Sample& s : t.samples)
    j["samples"].push_back({{"call", call_to_json(s.call)},
                            {"method", name(s.method)},
                            {"median_s", s.median_s},
                            {"p10_s", s.p10_s},
                            {"p90_s", s.p90_s},
                            {"count", s.count},
                            {"ideal_s", s.ideal_s},
                            {"delay_factor", s.delay_factor},
                            {"bound", name(s.bound)},
                            {"labels", s.labels}});
  return j;
}

TEST(SampleJson, ColumnsAreThoseWrittenByHand) {
  // 100 x 200 x 300 in f32: 2 · 100 · 200 · 300 flop, reads (100 · 300 + 300 · 200) · 4 bytes; 1.2
  // µs at 10 Tflop/s. 1 x 1000 x 1000 is 4.008 µs from DRAM (table_test.cpp).
  Measurement second = fixture::timed(gemm(100, 200, 300), {2.4e-6, 2.4e-6, 2.4e-6});
  second.labels = {"interfered:1/3"};
  const DelayTable t =
      make_table(fixture::device(), fixture::ceilings(),
                 {second, fixture::timed(gemm(1, 1000, 1000), {5.0104008e-6})}, {});
  const json groups = samples_to_json(t.samples);
  ASSERT_EQ(groups.size(), 1u);
  const json expected = json::parse(R"({
    "op": "gemm", "dtype": "f32", "implementation": "made_up", "method": "graph",
    "dims": {"m": [1, 100], "n": [1000, 200], "k": [1000, 300]},
    "median_s": [5.0104e-6, 2.4e-6], "p10_s": [5.0104e-6, 2.4e-6], "p90_s": [5.0104e-6, 2.4e-6],
    "count": [1, 3], "delay_factor": [1.25, 2.0], "bounds": ["compute", "dram"], "bound": [1, 0],
    "labels": {"interfered:1/3": [1]},
    "flops": [2e6, 12e6], "bytes_read": [4004e3, 360e3], "bytes_written": [4e3, 80e3]})");
  EXPECT_EQ(groups[0], expected) << groups[0].dump(1);
}

TEST(SampleJson, OneTimeACallNeedsNoSpread) {
  const DelayTable t = make_table(
      fixture::device(), fixture::ceilings(),
      {fixture::timed(gemm(1, 1000, 1000), {5e-6}), fixture::timed(gemm(2, 1000, 1000), {5e-6})},
      {});
  const json groups = samples_to_json(t.samples);
  for (const char* key : {"p10_s", "p90_s", "count", "labels"})
    EXPECT_FALSE(groups.at(0).contains(key)) << key;
  EXPECT_EQ(samples_from_json(groups), t.samples);
}

TEST(SampleJson, RoundTripIsEqualAndWorkMayBeAbsent) {
  json groups = samples_to_json(fitted().samples);
  EXPECT_GE(groups.size(), 2u);
  EXPECT_EQ(samples_from_json(groups), fitted().samples);
  for (json& group : groups)
    for (const char* key : {"flops", "bytes_read", "bytes_written"}) group.erase(key);
  EXPECT_EQ(samples_from_json(groups), fitted().samples);
}

TEST(SampleJson, ManySamplesDoNotTellTheirWork) {
  std::vector<Sample> many(kMostWithWork + 1, fitted().samples[0]);
  EXPECT_FALSE(samples_to_json(many)[0].contains("flops"));
  many.pop_back();
  EXPECT_TRUE(samples_to_json(many)[0].contains("flops"));
}

TEST(SampleJson, SortingKeepsWhatCurvesName) {
  DelayTable t = fitted();
  std::reverse(t.samples.begin(), t.samples.end());
  for (Curve& c : t.curves)
    for (std::size_t& i : c.samples) i = t.samples.size() - 1 - i;
  sort_samples(t);
  EXPECT_EQ(t.samples, fitted().samples);
  EXPECT_EQ(t.curves, fitted().curves);
}

TEST(SampleJson, FaultsAreNamed) {
  const json good = table_to_json(fitted());
  const auto with = [&](const char* where, const json& value) {
    json j = good;
    j[json::json_pointer(where)] = value;
    return refused(j);
  };
  EXPECT_THAT(with("/samples/0/op", "teleport"),
              HasSubstr("samples[0]: unknown operator 'teleport'"));
  EXPECT_THAT(with("/samples/0/dims/m/2", -5), HasSubstr("samples[0].dims: row 2: gemm: m=-5"));
  EXPECT_THAT(with("/samples/0/dims/q", {1}),
              HasSubstr("samples[0].dims.q: gemm has no such axis"));
  EXPECT_THAT(with("/samples/0/delay_factor", {1.5}),
              HasSubstr("samples[0].delay_factor: has 1 numbers, median_s has 12"));
  EXPECT_THAT(with("/samples/0/bound/1", 7), HasSubstr("samples[0].bound: row 1: 7 is no place"));
  EXPECT_THAT(with("/samples/0/labels", {{"busy", {12}}}),
              HasSubstr("samples[0].labels.busy: 12 is no row"));
  json j = good;
  j["samples"][1]["dims"].erase("cols");
  EXPECT_THAT(refused(j), HasSubstr("samples[1].dims.cols: is missing"));
  j = good;
  j["samples"][1]["p90_s"].push_back(1e-6);
  EXPECT_THAT(refused(j), HasSubstr("samples[1].p90_s: has 7 numbers, median_s has 6"));
}

TEST(Version2, IsReadAsItWasAndSaid) {
  const DelayTable t = table_from_json(version_2(fitted()), "old.json");
  EXPECT_EQ(t.samples, fitted().samples);
  EXPECT_EQ(t.curves, fitted().curves);
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_THAT(t.notes[0], HasSubstr("version 2"));
  const DelayTable back = table_from_json(table_to_json(t), "new.json");
  EXPECT_EQ(back.samples, t.samples);
  EXPECT_EQ(back.notes, t.notes);
  const Call c = gemm(77, 1234, 4321);
  EXPECT_EQ(predict_call(back, c).seconds, predict_call(t, c).seconds);
}

TEST(Version2, KeepsFiveDigitsOfTimes) {
  json j = version_2(fitted());
  for (json& one : j["samples"])
    for (const char* key : {"median_s", "p10_s", "p90_s"})
      one[key] = one[key].get<double>() * 1.000001234;
  const DelayTable t = table_from_json(j, "old.json");
  for (std::size_t i = 0; i < t.samples.size(); ++i) {
    EXPECT_NEAR(t.samples[i].median_s / j["samples"][i]["median_s"].get<double>(), 1, 5e-5);
    EXPECT_NEAR(t.samples[i].ideal_s * t.samples[i].delay_factor / t.samples[i].median_s, 1, 1e-12);
  }
}

TEST(Version2, OrderMayBeAnother) {
  json j = version_2(fitted());
  std::reverse(j["samples"].begin(), j["samples"].end());
  for (json& curve : j["curves"])
    for (json& i : curve["samples"]) i = fitted().samples.size() - 1 - i.get<std::size_t>();
  const DelayTable t = table_from_json(j, "old.json");
  EXPECT_EQ(t.samples, fitted().samples);
  EXPECT_EQ(t.curves, fitted().curves);
}

TEST(Version2, FaultsAreNamed) {
  const json good = version_2(fitted());
  const auto with = [&](const char* where, const json& value) {
    json j = good;
    j[json::json_pointer(where)] = value;
    return refused(j);
  };
  EXPECT_THAT(with("/samples/3/median_s", "fast"), HasSubstr("samples[3].median_s: must be"));
  EXPECT_THAT(with("/samples/3/p10_s", -1), HasSubstr("samples[3].p10_s: must be"));
  EXPECT_THAT(with("/samples/3/count", 1.5), HasSubstr("samples[3].count: must be"));
  EXPECT_THAT(with("/samples/3/bound", "magic"), HasSubstr("samples[3].bound: "));
  EXPECT_THAT(with("/samples/3/labels", 5), HasSubstr("samples[3]"));
  EXPECT_THAT(with("/samples/3/labels", {5}), HasSubstr("samples[3].labels: must be"));
  EXPECT_THAT(with("/samples/0/call/op", "teleport"),
              HasSubstr("samples[0].call: unknown operator 'teleport'"));
  EXPECT_THAT(with("/samples/0", 1), HasSubstr("samples[0]: must be an object"));
  EXPECT_THAT(with("/samples", 1), HasSubstr("samples: must be a list"));
}

TEST(JsonText, ListsOfNumbersAreOneLine) {
  json j{{"list", json::array()}, {"name", "x"}, {"zeros", {0, 0}}, {"list of lists", {{1}, {2}}}};
  for (int i = 0; i < 60; ++i) j["list"].push_back(i);
  const std::string text = json_text(j);
  EXPECT_EQ(json::parse(text), j);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6) << text;
  EXPECT_THAT(text, ::testing::StartsWith("{\n \"name\": \"x\",\n"));
  EXPECT_EQ(json_text(json::object()), "{}\n");
}

}  // namespace
}  // namespace ridge
