// What the sampler says of calls that do not fit, cannot run or are wrong, on a scripted device: it
// names the reason, keeps no time, and goes on with the next call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "profilers/sampler.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

using testing::HasSubstr;

const Call kCall{"rmsnorm", {16, 128}, Dtype::kF32, ""};

SamplerOptions ample() {
  // Reference and timing get all the time they want: the script decides.
  return {.time_budget_s = 5, .verify_budget_s = 5, .run_id = "run 7"};
}

// Reading back is what resuming does: whatever the sampler says must survive it.
void expect_readable(const Measurement& m) {
  EXPECT_NO_THROW((void)measurement_from_json(nlohmann::json::parse(to_json(m).dump())));
}

TEST(SamplerFaults, SkipsWhatDoesNotFitAndGoesOn) {
  FakeBackend fake;
  fake.info.memory_bytes = 4 << 20;
  Sampler sampler(fake, ample());
  const Measurement large = sampler.measure({"rmsnorm", {4096, 4096}, Dtype::kF32, ""});
  EXPECT_EQ(large.status, Status::kSkipped);
  EXPECT_THAT(large.reason, HasSubstr("out of memory"));
  EXPECT_TRUE(large.samples_s.empty());
  expect_readable(large);
  EXPECT_EQ(sampler.measure(kCall).status, Status::kOk);
  EXPECT_EQ(fake.open_ranges, 0);
}

TEST(SamplerFaults, SkipsWhatRunsOutOfMemoryWhileAllocating) {
  FakeBackend fake;
  bool full = true;
  fake.on_bind = [&](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    if (full) throw OutOfMemory("no room for the workspace");
    return std::make_unique<FakeLaunch>(a, [call, a] { right_rmsnorm(call, a); });
  };
  Sampler sampler(fake, ample());
  const Measurement m = sampler.measure(kCall);
  EXPECT_EQ(m.status, Status::kSkipped);
  EXPECT_EQ(m.reason, "out of memory: no room for the workspace");
  full = false;
  EXPECT_EQ(sampler.measure(kCall).status, Status::kOk);
}

TEST(SamplerFaults, MemoryHeldForOneDtypeDoesNotKeepAnotherOut) {
  FakeBackend fake;
  fake.info.memory_bytes = 40 << 20;
  fake.on_bind = [](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    return std::make_unique<FakeLaunch>(a, [call, a] { right_rmsnorm(call, a); });
  };
  Sampler sampler(fake, ample());
  const Call large{"rmsnorm", {1024, 1900}, Dtype::kF32, ""};  // 15 MiB of 40
  ASSERT_EQ(sampler.measure(large).status, Status::kOk);
  Call other = large;
  other.dtype = Dtype::kBf16;
  other.dims = {2048, 1900};
  // The script does not compute bf16, so this is found wrong; what counts is that it was tried.
  EXPECT_EQ(sampler.measure(other).status, Status::kWrong);
  EXPECT_EQ(sampler.measure(large).status, Status::kOk);
}

TEST(SamplerFaults, SkipsWhatThrowsWhileBinding) {
  FakeBackend fake;
  int bound = 0;
  fake.on_bind = [&](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    if (bound++ < 1) throw std::runtime_error("no algorithm for k=7");
    return std::make_unique<FakeLaunch>(a, [call, a] { right_rmsnorm(call, a); });
  };
  Sampler sampler(fake, ample());
  const Measurement m = sampler.measure(kCall);
  EXPECT_EQ(m.status, Status::kSkipped);
  EXPECT_EQ(m.reason, "no algorithm for k=7");
  EXPECT_TRUE(m.samples_s.empty());
  expect_readable(m);
  EXPECT_EQ(fake.open_ranges, 0);
  EXPECT_EQ(sampler.measure(kCall).status, Status::kOk);
}

TEST(SamplerFaults, SkipsAndKeepsNoSamplesOfACallThatFailsHalfway) {
  FakeBackend fake;
  fake.time = [](int64_t n, std::size_t launches, Method) {
    if (n == 6) throw std::runtime_error("an illegal memory access was encountered");
    return BatchTime{.seconds = 1e-4 * static_cast<double>(launches)};
  };
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.status, Status::kSkipped);
  EXPECT_TRUE(m.samples_s.empty());
  expect_readable(m);
}

TEST(SamplerFaults, DoesNotHideThatTheDeviceIsLost) {
  FakeBackend fake;
  fake.time = [](int64_t, std::size_t, Method) -> BatchTime {
    throw DeviceLost("an illegal memory access was encountered");
  };
  Sampler sampler(fake, ample());
  EXPECT_THROW((void)sampler.measure(kCall), DeviceLost);
  EXPECT_EQ(fake.open_ranges, 0);
}

TEST(SamplerFaults, SkipsWhatTheBackendDoesNotHave) {
  FakeBackend fake;
  fake.unsupported = "only on sm_89 and later";
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.status, Status::kSkipped);
  EXPECT_EQ(m.reason, "only on sm_89 and later");
  EXPECT_TRUE(fake.ran.methods.empty());
  expect_readable(m);
}

TEST(SamplerFaults, TimesNothingThatComputesWrongly) {
  FakeBackend fake;
  fake.on_bind = [](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    return std::make_unique<FakeLaunch>(a, [call, a] {
      right_rmsnorm(call, a);
      static_cast<float*>(a.outputs[0])[100] += 0.1f;
    });
  };
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.status, Status::kWrong);
  EXPECT_THAT(m.reason, HasSubstr("y[100]"));
  EXPECT_TRUE(m.samples_s.empty());
  EXPECT_TRUE(fake.ran.methods.empty()) << "a wrong launch was timed";
  expect_readable(m);
}

TEST(SamplerFaults, RejectsWhatIsFasterThanPhysics) {
  FakeBackend fake;
  SamplerOptions options = ample();
  double least_s = 0.9e-4;
  options.fastest_possible_s = [&](const Work& w) { return w.flops > 0 ? least_s : 0.0; };
  Sampler sampler(fake, options);
  EXPECT_EQ(sampler.measure(kCall).status, Status::kOk);
  least_s = 1.1e-4;
  const Measurement m = sampler.measure(kCall);
  EXPECT_EQ(m.status, Status::kWrong);
  EXPECT_THAT(m.reason, HasSubstr("faster than the device's peak allows"));
  expect_readable(m);
}

TEST(SamplerFaults, RejectsAClockThatStandsStill) {
  FakeBackend fake;
  fake.time = [](int64_t, std::size_t, Method) { return BatchTime{.seconds = 0}; };
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.status, Status::kWrong);
  EXPECT_TRUE(m.samples_s.empty());
  expect_readable(m);
}

TEST(SamplerFaults, RefusesDimsThatTheOperatorDoesNotTake) {
  FakeBackend fake;
  Sampler sampler(fake, ample());
  EXPECT_THROW((void)sampler.measure({"rmsnorm", {0, 128}, Dtype::kF32, ""}), BadInput);
  EXPECT_THROW((void)sampler.measure({"rmsnorm", {1}, Dtype::kF32, ""}), BadInput);
}

}  // namespace
}  // namespace ridge
