#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/notices.h"
#include "kernels/cuda/nvml.h"

namespace ridge::cuda {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Nvml, AnswersInSiUnits) {
  const Nvml nvml("0000:1B:00.0", RIDGE_FAKE_NVML);
  ASSERT_TRUE(nvml.available());
  const Telemetry t = nvml.telemetry();
  EXPECT_DOUBLE_EQ(t.sm_clock_hz.value(), 1755e6);
  EXPECT_DOUBLE_EQ(t.memory_clock_hz.value(), 3201e6);
  EXPECT_DOUBLE_EQ(t.power_w.value(), 612.345);
  EXPECT_EQ(t.throttle_reasons, "sw_power_cap+hw_thermal_slowdown");
}

TEST(Nvml, RefusedQueriesAreAbsent) {
  EXPECT_FALSE(Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).telemetry().temperature_c.has_value());
}

TEST(Nvml, ProvenanceTellsTheCurrentModes) {
  const auto p = Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).provenance();
  EXPECT_EQ(p.at("driver"), "580.65.06");
  EXPECT_EQ(p.at("ecc"), "on");
  EXPECT_EQ(p.at("mig"), "off");
  EXPECT_EQ(p.at("power_limit_w"), "700");
  EXPECT_EQ(p.at("max_sm_clock_hz"), "1980000000");
  EXPECT_FALSE(p.contains("persistence"));  // the library lacks the function
}

TEST(Nvml, ProvenanceTellsWhatDiffersFromTheUsual) {
  const auto p = Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).provenance();
  EXPECT_EQ(p.at("default_power_limit_w"), "750");
  EXPECT_EQ(p.at("other_processes"), "21");
}

// More than the first question had room for, one of them listed twice, one of them this one.
TEST(Nvml, OtherProcessesAreListedOnceAndWithoutThisOne) {
  const CardState s = Nvml("0000:1B:00.0", RIDGE_FAKE_NVML).state();
  ASSERT_EQ(s.other_processes.size(), 21u);
  EXPECT_EQ(s.other_processes.front(), 4000000001u);
  EXPECT_EQ(s.other_processes.back(), 4000000022u);
  EXPECT_EQ(s.ecc, true);
  EXPECT_EQ(s.mig, false);
  EXPECT_EQ(s.persistence, std::nullopt);
  EXPECT_EQ(s.power_limit_w, 700);
  EXPECT_EQ(s.default_power_limit_w, 750);
}

const DeviceInfo kH200{
    .name = "NVIDIA H200", .uuid = "GPU-0", .units = 132, .memory_bytes = int64_t{141} << 30};

TEST(Notices, QuietGpuNeedsNone) {
  EXPECT_THAT(notices(kH200, nullptr), ElementsAre(HasSubstr("NVML does not open")));
  CardState usual{.ecc = true, .mig = false, .persistence = true};
  usual.power_limit_w = usual.default_power_limit_w = 700;
  EXPECT_THAT(notices(kH200, &usual), IsEmpty());
  EXPECT_THAT(notices(kH200, std::make_unique<CardState>().get()), IsEmpty());  // nothing known
}

TEST(Notices, OtherProcessesAreNamed) {
  CardState card;
  card.other_processes = {1234};
  EXPECT_THAT(notices(kH200, &card),
              ElementsAre("another process (pid 1234) uses this GPU: times will be disturbed; "
                          "stop it"));
  card.other_processes = {1, 2, 3, 4, 5, 6};
  EXPECT_THAT(notices(kH200, &card),
              ElementsAre("other processes (pid 1, 2, 3, 4 and 2 more) use this GPU: times will be "
                          "disturbed; stop them"));
}

TEST(Notices, SettingsThatSlowDownSayWhatToDo) {
  CardState card{.ecc = false, .persistence = false};
  card.power_limit_w = 500;
  card.default_power_limit_w = 700;
  EXPECT_THAT(
      notices(kH200, &card),
      ElementsAre(AllOf(HasSubstr("500 W, its default 700 W"), HasSubstr("nvidia-smi -pl 700")),
                  AllOf(HasSubstr("ECC is off"), HasSubstr("nvidia-smi -e 1")),
                  AllOf(HasSubstr("persistence mode is off"), HasSubstr("nvidia-smi -pm 1"))));
  card = {};
  card.power_limit_w = 750;
  card.default_power_limit_w = 700;
  EXPECT_THAT(notices(kH200, &card), IsEmpty());
}

TEST(Notices, MigSliceIsKnownByItsNameOrTheCardsMode) {
  DeviceInfo slice{.name = "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
                   .uuid = "MIG-7",
                   .units = 14,
                   .memory_bytes = int64_t{4864} << 20};
  EXPECT_TRUE(is_mig_slice(slice.name, {}));
  EXPECT_THAT(notices(slice, std::make_unique<CardState>().get()),
              ElementsAre(AllOf(HasSubstr("MIG slice (MIG-7)"),
                                HasSubstr("14 multiprocessors and 4864 MiB are the slice's"))));
  EXPECT_THAT(notices(slice, nullptr),
              ElementsAre(HasSubstr("MIG slice"), HasSubstr("NVML does not open")));
  EXPECT_FALSE(is_mig_slice("NVIDIA H200", {.mig = false}));
  EXPECT_TRUE(is_mig_slice("NVIDIA H200", {.mig = true}));
  CardState shared{.mig = true};
  shared.other_processes = {7};
  EXPECT_THAT(notices(slice, &shared),
              ElementsAre(HasSubstr("MIG slice"), HasSubstr("perhaps in other slices")));
}

void expect_silence(const Nvml& nvml) {
  EXPECT_FALSE(nvml.available());
  EXPECT_FALSE(nvml.telemetry().sm_clock_hz.has_value());
  EXPECT_EQ(nvml.telemetry().throttle_reasons, "");
  EXPECT_TRUE(nvml.provenance().empty());
  EXPECT_TRUE(nvml.state().other_processes.empty());
}

TEST(Nvml, MissingLibraryOrCardAnswersNothing) {
  expect_silence(Nvml("0000:1B:00.0", "libno-such-library.so"));
  expect_silence(Nvml("0000:99:00.0", RIDGE_FAKE_NVML));
}

TEST(Nvml, IdlenessIsNoThrottling) {
  EXPECT_EQ(throttle_names(0), "");
  EXPECT_EQ(throttle_names(0x1), "");
  EXPECT_EQ(throttle_names(0x1 | 0x20), "sw_thermal_slowdown");
  EXPECT_EQ(throttle_names(uint64_t{1} << 40), "unknown_reason");
}

}  // namespace
}  // namespace ridge::cuda
