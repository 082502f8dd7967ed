// Ideal times by hand, and ceilings.json: what is written can be read back, faults are named.
#include "roofline/ceilings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {
namespace {

Ceilings example() {
  Ceilings c;
  c.device = "Fake 9000";
  c.values = {{"dram.read", {100e9, "byte/s", "stream_read", 0.01}},
              {"dram.write", {50e9, "byte/s", "stream_write", 0.02}},
              {"dram.copy", {80e9, "byte/s", "stream_copy", 0.03}},
              {"matrix.bf16", {10e12, "flop/s", "gemm", 0.04}},
              {"vector.f32", {1e12, "flop/s", "fma_peak", 0.05}},
              {"launch.graph", {1.3e-6, "s", "copy", 0.06}}};
  c.provenance = {{"driver", "580.65"}, {"quote", "\"µ\""}};
  return c;
}

TEST(DramSeconds, AMeasuredMixCountsWhereItBeatsItsParts) {
  Ceilings c = example();
  c.values["dram.mix_3:1"] = {96e9, "byte/s", "stream_mix", 0};
  EXPECT_DOUBLE_EQ(dram_seconds(c, 72e9, 24e9), 1);  // three to one: its own ceiling
  // Half way between three to one (1/96 ns a byte) and pure reads (1/100).
  EXPECT_DOUBLE_EQ(dram_seconds(c, 87.5, 12.5), 100 * (0.5 / 96e9 + 0.5 / 100e9));
  // Slower than copying half and reading the other half: a call can do that instead.
  c.values["dram.mix_3:1"].value = 60e9;
  EXPECT_DOUBLE_EQ(dram_seconds(c, 75e9, 25e9), 100e9 * (0.5 / 80e9 + 0.5 / 100e9));
}

TEST(Link, BoundsWhatSendsMuch) {
  Ceilings c = example();
  const Work work{.flops = 1e9, .bytes_read = 1e9, .bytes_written = 1e9, .link_bytes = 1e9};
  EXPECT_THROW(ideal(c, work), BadInput);  // never guessed
  c.values["link"] = {10e9, "byte/s", "copies", 0};
  EXPECT_DOUBLE_EQ(ideal(c, work).seconds, 0.1);
  EXPECT_EQ(ideal(c, work).bound, Bound::kLink);
  EXPECT_EQ(classify(c, work, Method::kGraph).bound, Bound::kLink);
  EXPECT_EQ(parse_bound(name(Bound::kLink)), Bound::kLink);
  const Work little{.bytes_read = 1e9, .bytes_written = 1e9, .link_bytes = 1e6};
  EXPECT_EQ(ideal(c, little).bound, Bound::kDram);
}

Ceilings with_caches() {
  Ceilings c = example();
  c.levels = {{"l1", 1e6, true, true, "test"}, {"l2", 50e6, false, true, "test"}};
  c.values["l2.read"] = {1000e9, "byte/s", "stream_read", 0};
  c.values["l1.read"] = {4000e9, "byte/s", "stream_read", 0};
  return c;
}

TEST(Levels, HoldAWorkingSetUpToTheirSize) {
  EXPECT_EQ(level_of(with_caches(), 1e6), "l1");
  EXPECT_EQ(level_of(with_caches(), 1.1e6), "l2");
  EXPECT_EQ(level_of(with_caches(), 60e6), "dram");
  EXPECT_EQ(level_of(example(), 1), "dram");
  Ceilings gpu = with_caches();
  gpu.levels[0].lasting = false;  // an L1 is empty when a kernel starts
  EXPECT_EQ(level_of(gpu, 1), "l2");
}

TEST(Levels, AResidentCallIsHeldAgainstItsLevel) {
  const Work work{.bytes_read = 10e6};
  EXPECT_DOUBLE_EQ(ideal(with_caches(), work, 10e6).seconds, 10e6 / 1000e9);
  EXPECT_EQ(ideal(with_caches(), work, 10e6).bound, Bound::kL2);
  EXPECT_EQ(ideal(with_caches(), work).bound, Bound::kDram);
}

TEST(Attainable, IsTheLowerOfTheTwoRoofs) {
  // The ridge of 10 TFLOP/s over 100 GB/s is at 100 flop/byte; over 1000 GB/s at 10.
  const Ceilings c = with_caches();
  EXPECT_DOUBLE_EQ(attainable(c, 50, "matrix.bf16", "dram"), 5e12);
  EXPECT_DOUBLE_EQ(attainable(c, 500, "matrix.bf16", "dram"), 10e12);
  EXPECT_DOUBLE_EQ(attainable(c, 50, "matrix.bf16", "l2"), 10e12);
  EXPECT_THROW((void)attainable(c, 1, "matrix.f64", "dram"), BadInput);
  bool met = false;
  for (const RidgePoint& r : ridge_points(c)) {
    EXPECT_NEAR(attainable(c, r.intensity, r.pipe, r.level), c.values.at(r.pipe).value, 1);
    if (r.pipe == "matrix.bf16" && r.level == "dram") met = r.intensity == 100;
  }
  EXPECT_TRUE(met);
}

TEST(Classify, NamesTheSlowestResourceAndItsLead) {
  const Ceilings c = with_caches();
  const Work decode{
      .flops = 1e9, .bytes_read = 1e9, .pipe = Pipe::kMatrix, .arithmetic = Dtype::kBf16};
  const Classification big = classify(c, decode, Method::kGraph);
  EXPECT_EQ(big.bound, Bound::kDram);  // 10 ms of memory, 0.1 ms of arithmetic
  EXPECT_NEAR(big.margin, 100, 1e-9);
  const Classification tiny = classify(c, {.bytes_read = 100}, Method::kGraph);
  EXPECT_EQ(tiny.bound, Bound::kLaunch);
  EXPECT_DOUBLE_EQ(tiny.seconds, 1.3e-6);
}

TEST(DramSeconds, PureReadsAndWritesAreHeldAgainstTheirOwnCeilings) {
  EXPECT_DOUBLE_EQ(dram_seconds(example(), 100e9, 0), 1);
  EXPECT_DOUBLE_EQ(dram_seconds(example(), 0, 100e9), 2);
  EXPECT_EQ(dram_seconds(example(), 0, 0), 0);
}

TEST(DramSeconds, OneToOneIsHeldAgainstTheCopy) {
  // A copy of 40 GB reads 40 and writes 40: 80 GB at 80 GB/s.
  EXPECT_DOUBLE_EQ(dram_seconds(example(), 40e9, 40e9), 1);
}

TEST(DramSeconds, AMixIsACopyAndARest) {
  EXPECT_DOUBLE_EQ(dram_seconds(example(), 90e9, 40e9), 1 + 0.5);
  EXPECT_DOUBLE_EQ(dram_seconds(example(), 40e9, 90e9), 1 + 1);
}

TEST(DramSeconds, GrowsWithEveryByteAndScales) {
  const Ceilings c = example();
  double before = -1;
  for (double read = 0; read <= 10e9; read += 0.5e9) {
    const double now = dram_seconds(c, read, 5e9);
    EXPECT_GT(now, before);
    EXPECT_NEAR(dram_seconds(c, 3 * read, 15e9), 3 * now, 1e-12);
    before = now;
  }
}

TEST(Ideal, IsTheSlowestResource) {
  // 20 TFLOP take 2 s on the matrix pipe; 100 GB read take 1 s.
  const Work compute{
      .flops = 20e12, .bytes_read = 100e9, .pipe = Pipe::kMatrix, .arithmetic = Dtype::kBf16};
  EXPECT_DOUBLE_EQ(ideal(example(), compute).seconds, 2);
  EXPECT_EQ(ideal(example(), compute).bound, Bound::kCompute);
  Work memory = compute;
  memory.bytes_read = 300e9;
  EXPECT_DOUBLE_EQ(ideal(example(), memory).seconds, 3);
  EXPECT_EQ(ideal(example(), memory).bound, Bound::kDram);
}

TEST(Ideal, HoldsEachPipeAndDtypeAgainstItsOwnPeak) {
  Work work{.flops = 1e12, .pipe = Pipe::kVector, .arithmetic = Dtype::kF32};
  EXPECT_DOUBLE_EQ(ideal(example(), work).seconds, 1);
  work.pipe = Pipe::kMatrix;
  work.arithmetic = Dtype::kBf16;
  EXPECT_DOUBLE_EQ(ideal(example(), work).seconds, 0.1);
}

TEST(Ideal, AsksForNoCeilingThatTheWorkDoesNotTouch) {
  Ceilings only_read;
  only_read.values = {{"dram.read", {100e9, "byte/s", "", 0}}};
  EXPECT_DOUBLE_EQ(ideal(only_read, {.bytes_read = 100e9}).seconds, 1);
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const BadInput& e) {
    return e.what();
  }
  return "";
}

TEST(Ideal, NamesTheMissingCeilingAndTheDevice) {
  for (const char* key : {"dram.read", "dram.write", "dram.copy", "vector.f32"}) {
    Ceilings c = example();
    c.values.erase(key);
    const std::string text = refusal([&] {
      (void)ideal(c, {.flops = 1, .bytes_read = 2, .bytes_written = 1});
      (void)ideal(c, {.flops = 1, .bytes_read = 1, .bytes_written = 2});
    });
    EXPECT_NE(text.find(key), std::string::npos) << key << ": " << text;
    EXPECT_NE(text.find("Fake 9000"), std::string::npos) << text;
  }
}

TEST(LaunchSeconds, IsTheMethodsOwnAndZeroWhereUnmeasured) {
  EXPECT_EQ(launch_seconds(example(), Method::kGraph), 1.3e-6);
  EXPECT_EQ(launch_seconds(example(), Method::kStream), 0);
}

TEST(CeilingsJson, RoundTripKeepsEveryField) {
  const Ceilings a = example();
  const Ceilings b = ceilings_from_json(nlohmann::json::parse(to_json(a).dump()));
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.provenance, b.provenance);
  ASSERT_EQ(a.values.size(), b.values.size());
  for (const auto& [key, one] : a.values) {
    EXPECT_EQ(one.value, b.values.at(key).value);
    EXPECT_EQ(one.unit, b.values.at(key).unit);
    EXPECT_EQ(one.method, b.values.at(key).method);
    EXPECT_EQ(one.spread, b.values.at(key).spread);
  }
}

TEST(CeilingsJson, NamesMissingKeysAndWrongTypes) {
  for (const char* key : {"device", "values", "provenance"}) {
    nlohmann::json j = to_json(example());
    j.erase(key);
    EXPECT_NE(refusal([&] { (void)ceilings_from_json(j); }).find(key), std::string::npos) << key;
    j[key] = 5;
    EXPECT_NE(refusal([&] { (void)ceilings_from_json(j); }).find(key), std::string::npos) << key;
  }
  for (const char* key : {"value", "unit", "method", "spread"}) {
    nlohmann::json j = to_json(example());
    j["values"]["dram.read"].erase(key);
    const std::string text = refusal([&] { (void)ceilings_from_json(j); });
    EXPECT_NE(text.find("values.dram.read"), std::string::npos) << key << ": " << text;
  }
  for (const nlohmann::json& foreign : {nlohmann::json::array(), nlohmann::json(nullptr)})
    EXPECT_NE(refusal([&] { (void)ceilings_from_json(foreign); }), "");
}

TEST(CeilingsJson, RefusesRatesThatAreNone) {
  for (double bad : {0.0, -1.0}) {
    nlohmann::json j = to_json(example());
    j["values"]["dram.copy"]["value"] = bad;
    EXPECT_NE(refusal([&] { (void)ceilings_from_json(j); }).find("values.dram.copy"),
              std::string::npos);
  }
}

TEST(CeilingsFile, ErrorsNameTheFile) {
  const std::string path =
      testing::TempDir() + "ceilings_file_" + std::to_string(getpid()) + ".json";
  const auto refused = [&] { return refusal([&] { (void)load_ceilings(path); }); };
  EXPECT_NE(refused().find(path), std::string::npos) << "missing: " << refused();
  std::ofstream(path) << "{\"device\": \"x\", ";
  EXPECT_NE(refused().find(path), std::string::npos) << "torn: " << refused();
  std::ofstream(path) << "{\"device\": \"x\"}";
  EXPECT_NE(refused().find(path), std::string::npos) << refused();
  EXPECT_NE(refused().find("provenance"), std::string::npos) << refused();
  std::ofstream(path) << to_json(example()).dump();
  EXPECT_EQ(load_ceilings(path).device, "Fake 9000");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace ridge
