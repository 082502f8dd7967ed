// The roofline of scripted devices: what does not run is left out, what computes wrongly has no
// rate.
#include "roofline/measure_roofline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "kernels/core/operators.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

TEST(MeasureRoofline, LeavesOutWhatDoesNotRun) {
  FakeBackend fake;
  fake.unsupported = "nothing runs here";
  const Ceilings c = measure_roofline(fake, {}, Depth::kFull, 1, nullptr);
  EXPECT_TRUE(c.values.empty());
  EXPECT_EQ(c.device, "Fake 9000");
}

TEST(MeasureRoofline, KeepsNoRateOfAKernelThatComputesWrongly) {
  FakeBackend fake;  // computes nothing whatever it is asked for: every probe is wrong
  fake.info.last_level_cache_bytes = 1 << 10;
  fake.on_bind = [](const Call&, const Arguments& a) -> std::unique_ptr<Launch> {
    return std::make_unique<FakeLaunch>(a, [] {});
  };
  const Ceilings c = measure_roofline(fake, {}, Depth::kQuick, 1, nullptr);
  EXPECT_TRUE(c.values.empty()) << c.values.begin()->first;
  ASSERT_FALSE(c.notes.empty());
  EXPECT_NE(c.notes.front().find("wrong"), std::string::npos) << c.notes.front();
}

// Every probe of both kinds of device is a call that its operator takes, and fits the memory.
TEST(Plan, AsksOnlyForCallsThatExist) {
  for (const char* kind : {"cpu", "cuda"}) {
    FakeBackend fake;
    fake.info = {.kind = kind,
                 .name = "Fake 9000",
                 .units = 132,
                 .last_level_cache_bytes = 60 << 20,
                 .memory_bytes = int64_t{141} << 30};
    std::vector<Probe> all;
    const auto add = [&](std::vector<Probe> more) {
      all.insert(all.end(), more.begin(), more.end());
    };
    add(dram_probes(fake));
    add(working_set_probes(fake, Depth::kFull));
    add(edge_probes(fake, {50e6}));
    add(shared_memory_probes(fake));
    add(level_probes(fake, {50e6}, 0, "l2"));
    add(mix_probes(fake, Depth::kFull));
    add(pattern_probes(fake));
    add(latency_probes(fake, Depth::kFull));
    add(arithmetic_probes(fake));
    add(arithmetic_detail_probes(fake));
    add(clock_probes(fake));
    add(overhead_probes(fake, Depth::kFull));
    add(staircase_plan(fake).probes);
    EXPECT_GT(all.size(), 300u);
    for (const Probe& p : all) {
      const OpSpec& spec = find_operator(p.call.op);
      EXPECT_NO_THROW(validate(spec, p.call)) << to_string(p.call);
      EXPECT_LE(footprint_bytes(spec, p.call), fake.info.memory_bytes / 4) << to_string(p.call);
      EXPECT_FALSE(p.keys.empty() && p.sweep.empty()) << to_string(p.call);
    }
  }
}

// Every dtype that the library multiplies has a ceiling of its own, f64 in the little time that it
// may take where it is many times slower.
TEST(Plan, TheLibrarysProductIsAProbeInEveryDtype) {
  FakeBackend fake;
  fake.info.kind = "cuda";
  const OpSpec& gemm = find_operator("gemm");
  std::map<std::string, double> most_flops;
  for (const Probe& p : arithmetic_probes(fake))
    for (const std::string& key : p.keys)
      if (key.ends_with(".gemm"))
        most_flops[key] = std::max(most_flops[key], gemm.work(p.call).flops);
  for (const Dtype dtype : gemm.dtypes)
    EXPECT_GT(most_flops[ceiling_name(Pipe::kMatrix, dtype) + ".gemm"], 1e11) << name(dtype);
  EXPECT_LT(most_flops["matrix.f64.gemm"], 2e11);
}

// Of the largest tiles, within a minute of a GPU.
TEST(Plan, TheStaircaseCoversFourWaves) {
  for (const int units : {40, 58, 80, 108, 132, 142}) {
    FakeBackend fake;
    fake.info.kind = "cuda";
    fake.info.units = units;
    const StaircasePlan plan = staircase_plan(fake);
    double most = 0;
    for (const Probe& p : plan.probes) most = std::max(most, p.x);
    EXPECT_GT(std::ceil(most / 256) * std::ceil(plan.held / 256), 4 * units) << units;
    EXPECT_LE(plan.probes.size(), 600u) << units;
  }
}

}  // namespace
}  // namespace ridge
