#include "calibrate/table.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "calibrate/table_schema.h"
#include "kernels/core/error.h"
#include "kernels/core/json_schema.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using fixture::gemm;
using nlohmann::json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-table-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text) const {
    std::ofstream(folder_ / "t.json") << text;
    return folder_ / "t.json";
  }

  fs::path folder_;
};

template <class F>
std::string bad_input(F f) {
  try {
    f();
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

const json& good() {
  static const json j = table_to_json(fixture::table(12));
  return j;
}

std::string refused(const json& j) {
  return bad_input([&] { table_from_json(j, "t.json"); });
}

TEST(Table, DelayFactorsAreThoseComputedByHand) {
  // 1000³: 2e9 flop at 1e13 flop/s are 200 µs; 300 µs measured is a delay of 1.5.
  // 1 x 1000 x 1000: reads 4.004 MB, writes 4 kB (8 kB as a copy, 4 MB as a read at 1 TB/s):
  // 4.008 µs; 5.01 µs measured is 1.25.
  const auto t = make_table(fixture::device(), fixture::ceilings(),
                            {fixture::timed(gemm(1000, 1000, 1000), {290e-6, 300e-6, 310e-6}),
                             fixture::timed(gemm(1, 1000, 1000), {5.01e-6})},
                            {});
  ASSERT_EQ(t.samples.size(), 2u);
  EXPECT_NEAR(t.samples[0].ideal_s, 4.008e-6, 1e-12);
  EXPECT_NEAR(t.samples[0].delay_factor, 1.25, 1e-9);
  EXPECT_EQ(t.samples[0].bound, Bound::kDram);
  EXPECT_NEAR(t.samples[1].ideal_s, 200e-6, 1e-12);
  EXPECT_NEAR(t.samples[1].delay_factor, 1.5, 1e-9);
  EXPECT_EQ(t.samples[1].bound, Bound::kCompute);
  EXPECT_EQ(t.samples[1].count, 3u);
  const Factor& f = t.factors.at("Linear_GEMM");
  EXPECT_NEAR(f.average, 1.375, 1e-9);
  EXPECT_NEAR(f.smallest, 1.25, 1e-9);
  EXPECT_NEAR(f.largest, 1.5, 1e-9);
  EXPECT_EQ(f.count, 2u);
}

TEST(Table, DelaysBelowOneAreKept) {
  const Call c = gemm(1000, 1000, 1000);
  const auto t =
      make_table(fixture::device(), fixture::ceilings(), {fixture::timed(c, {180e-6})}, {});
  EXPECT_NEAR(t.samples.at(0).delay_factor, 0.9, 1e-9);
}

TEST(Table, RepeatsOfACallAreOneSample) {
  const Call c = gemm(256, 256, 256);
  Measurement again = fixture::timed(c, {3e-5, 3e-5});
  again.labels = {"interfered"};
  const auto t = make_table(fixture::device(), fixture::ceilings(),
                            {fixture::timed(c, {1e-5, 1e-5, 1e-5}), again}, {});
  ASSERT_EQ(t.samples.size(), 1u);
  EXPECT_EQ(t.samples[0].count, 5u);
  EXPECT_DOUBLE_EQ(t.samples[0].median_s, 1e-5);
  EXPECT_THAT(t.samples[0].labels, ::testing::ElementsAre("interfered"));
}

TEST(Table, LeavesOutWhatWasNotMeasuredRight) {
  Measurement wrong = fixture::timed(gemm(512, 512, 512), {1e-9});
  wrong.status = Status::kWrong;
  Measurement nan = fixture::timed(gemm(513, 512, 512), {NAN});
  const auto t = make_table(fixture::device(), fixture::ceilings(),
                            {fixture::timed(gemm(2, 2, 2), {1e-6}), wrong, nan,
                             fixture::timed(gemm(2, 2, 2, Dtype::kBf16), {1e-6})},
                            {});
  EXPECT_EQ(t.samples.size(), 1u);
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_THAT(t.notes[0], HasSubstr("matrix.bf16"));
  EXPECT_THAT(bad_input([&] { make_table(fixture::device(), fixture::ceilings(), {wrong}, {}); }),
              HasSubstr("no measurement with status ok"));
}

TEST_F(Files, RoundTripIsEqual) {
  const DelayTable t = fixture::table(30);
  save_table(t, folder_ / "deep" / "t.json");
  const DelayTable back = load_table(folder_ / "deep" / "t.json", "Test machine");
  EXPECT_EQ(back.samples, t.samples);
  EXPECT_EQ(back.curves, t.curves);
  EXPECT_EQ(back.launch, t.launch);
  EXPECT_EQ(back.run_ids, t.run_ids);
  EXPECT_EQ(back.provenance, t.provenance);
  EXPECT_EQ(table_to_json(back), table_to_json(t));
  const Call c = gemm(77, 1234, 4321);
  EXPECT_DOUBLE_EQ(predict_call(back, c).seconds, predict_call(t, c).seconds);
}

TEST(Table, HeadIsWhatFirstGenerationReadersExpect) {
  const json& j = good();
  const json& f = j.at("delay_factors").at("Linear_GEMM");
  const double delay = f.at("avg_delay_factor");
  EXPECT_GE(delay, f.at("min_delay_factor").get<double>());
  EXPECT_LE(delay, f.at("max_delay_factor").get<double>());
  EXPECT_EQ(f.at("sample_count"), 12);
  const json& one = j.at("detailed_results").begin()->at(0);
  EXPECT_NEAR(one.at("actual_time_ms").get<double>(),
              one.at("theoretical_time_ms").get<double>() * one.at("delay_factor").get<double>(),
              1e-9);
  EXPECT_EQ(j.at("gpu_specs").at("memory_bandwidth_gb_s"), 1000);
}

TEST(Table, HeadHasAtMost500SamplesEvenlyChosen) {
  DelayTable t = fixture::table(12);
  const Sample one = t.samples[0];
  t.samples.assign(2000, one);
  t.samples[1996].median_s = 2 * one.median_s;
  const json details = table_to_json(t).at("detailed_results").at("calibration sweep");
  EXPECT_EQ(details.size(), 500u);
  EXPECT_NEAR(details[499].at("actual_time_ms").get<double>(), 2e3 * one.median_s, 1e-12);
}

TEST(TableSchema, RefusesMutations) {
  const std::vector<std::pair<const char*, json>> mutations{{"/samples/0/median_s/2", -1.0},
                                                            {"/samples/0/median_s/2", nullptr},
                                                            {"/samples/0/median_s", 1e-6},
                                                            {"/samples/0/delay_factor/0", 0},
                                                            {"/samples/0/count/1", "three"},
                                                            {"/samples/0/count/1", 0},
                                                            {"/samples/0/flops/3", -1},
                                                            {"/samples/0/bytes_read", "all"},
                                                            {"/samples/0/bound/0", "magic"},
                                                            {"/samples/0/bounds/0", "magic"},
                                                            {"/samples/0/dims/m/1", 1.5},
                                                            {"/samples/0/dims", {1, 2}},
                                                            {"/samples/0/op", 7},
                                                            {"/samples/0/labels", {"busy"}},
                                                            {"/samples", json::object()},
                                                            {"/curves/0/floor", 2.0},
                                                            {"/curves/0/kind", "neural"},
                                                            {"/launch/graph_s", -1e-6},
                                                            {"/ceilings/values/dram.copy", 5},
                                                            {"/gpu_specs/sm_count", "many"},
                                                            {"/delay_factors/Linear_GEMM", 1.3},
                                                            {"/method", "guess"},
                                                            {"/schema_version", 2},
                                                            {"/device/name", ""}};
  for (const auto& [where, value] : mutations) {
    json j = good();
    j[json::json_pointer(where)] = value;
    EXPECT_NE(schema_errors(table_schema(), j), "") << where;
    EXPECT_THAT(refused(j), HasSubstr("t.json: ")) << where;
  }
  for (const auto& [key, value] : good().items()) {
    json j = good();
    j.erase(key);
    EXPECT_NE(schema_errors(table_schema(), j), "") << key;
  }
  EXPECT_EQ(schema_errors(table_schema(), good()), "");
}

TEST(TableSchema, ErrorsNameTheKey) {
  json j = good();
  j["samples"][1]["median_s"][3] = "fast";
  EXPECT_THAT(refused(j), HasSubstr("samples[1].median_s[3]: is \"fast\""));
}

TEST(TableFaults, NewerOlderForeignAndBare) {
  json other = good();
  other["schema_version"] = 99;
  EXPECT_THAT(refused(other), HasSubstr("update Ridgepoint"));
  for (const json& version : {json(1), json("3"), json(nullptr), json(2.5)}) {
    other["schema_version"] = version;
    EXPECT_THAT(refused(other), HasSubstr("'schema_version' is " + version.dump()));
    EXPECT_THAT(refused(other), HasSubstr("make the table again with calibrate"));
  }
  EXPECT_THAT(refused({{"hello", "world"}}), HasSubstr("'schema_version' is missing"));
  EXPECT_THAT(refused(json::array()), HasSubstr("not a delay-factor table"));
}

TEST(TableFaults, ACurveThatDoesNotFitItsTableIsFittedAnew) {
  json j = good();
  j["curves"][0]["samples"] = {4000};
  const DelayTable t = table_from_json(j, "t.json");
  ASSERT_FALSE(t.notes.empty());
  EXPECT_THAT(t.notes.back(), HasSubstr("fitted anew"));
  EXPECT_EQ(t.curves, fixture::table(12).curves);
}

TEST_F(Files, TruncatedIsRefused) {
  const std::string text = good().dump();
  for (const double part : {0.0, 0.3, 0.9, 0.9999}) {
    const auto bytes = static_cast<std::size_t>(part * static_cast<double>(text.size()));
    const fs::path path = write(text.substr(0, bytes));
    EXPECT_THAT(bad_input([&] { load_table(path); }), HasSubstr(path.string())) << part;
  }
}

TEST_F(Files, NotANumberIsNeitherReadNorWritten) {
  EXPECT_THAT(bad_input([&] { load_table(write(R"({"schema_version": NaN})")); }),
              HasSubstr("t.json"));
  EXPECT_THAT(bad_input([&] { load_table(write(R"({"schema_version": 1e999})")); }),
              HasSubstr("t.json"));
  DelayTable t = fixture::table(12);
  t.samples[0].median_s = NAN;
  EXPECT_THROW(save_table(t, folder_ / "n.json"), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder_ / "n.json"));
}

TEST_F(Files, ATableOfAnotherDeviceIsRefused) {
  save_table(fixture::table(12), folder_ / "t.json");
  EXPECT_THAT(bad_input([&] { load_table(folder_ / "t.json", "NVIDIA H200"); }),
              HasSubstr("'Test machine'"));
}

TEST_F(Files, MissingFileIsNamed) {
  EXPECT_THAT(bad_input([&] { load_table(folder_ / "no.json"); }), HasSubstr("no.json"));
  EXPECT_THAT(bad_input([&] { load_table(folder_); }), HasSubstr(folder_.string()));
}

TEST_F(Files, AnUnwritableFolderIsSaidAndLeavesNothing) {
  std::ofstream(folder_ / "file") << "in the way";
  EXPECT_THROW(save_table(fixture::table(12), folder_ / "file" / "t.json"), std::runtime_error);
}

TEST_F(Files, AFullDiskLeavesTheEarlierTable) {
  save_table(fixture::table(12), folder_ / "t.json");
  const auto before = fs::file_size(folder_ / "t.json");
  // Files may grow to 1000 bytes only: writing fails as on a full disk.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = old.rlim_max};
  const DelayTable other = fixture::table(14);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(save_table(other, folder_ / "t.json"), std::runtime_error);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(fs::file_size(folder_ / "t.json"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  EXPECT_NO_THROW(load_table(folder_ / "t.json"));
}

}  // namespace
}  // namespace ridge
