// The sampler against a scripted device: when it stops, what it rotates over, what it says of calls
// that cannot run, are wrong or were disturbed; and against the CPU, a call of known length.
#include "profilers/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "kernels/cpu/cpu_backend.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

using testing::Contains;
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

TEST(Sampler, StopsWhenTheMedianIsKnown) {
  FakeBackend fake;  // every launch takes 100 µs
  Sampler sampler(fake, ample());
  const Measurement m = sampler.measure(kCall);
  EXPECT_EQ(m.status, Status::kOk) << m.reason;
  EXPECT_TRUE(m.converged);
  EXPECT_EQ(m.samples_s.size(), 7u);
  EXPECT_EQ(m.busy.size(), 7u);
  for (double s : m.samples_s) EXPECT_DOUBLE_EQ(s, 1e-4);
  EXPECT_EQ(m.call.implementation, "fake");
  EXPECT_EQ(m.detail, "fake, by the script");
  EXPECT_EQ(m.run_id, "run 7");
  EXPECT_EQ(m.method, Method::kStream);
  EXPECT_GT(m.unix_time_s, 1.7e9);
  EXPECT_GT(m.wall_s, 0);
  EXPECT_TRUE(m.labels.empty());
  EXPECT_EQ(fake.open_ranges, 0);
  expect_readable(m);
}

TEST(Sampler, ReportsTheTimeOfOneLaunchWhateverTheBatch) {
  for (double one_s : {2e-7, 3e-6, 5e-5, 1e-3}) {
    FakeBackend fake;
    fake.time = [&](int64_t, std::size_t launches, Method) {
      return BatchTime{.seconds = one_s * static_cast<double>(launches)};
    };
    SamplerOptions options = ample();
    options.min_batch_s = 200e-6;
    const Measurement m = Sampler(fake, options).measure(kCall);
    EXPECT_EQ(m.status, Status::kOk) << m.reason;
    EXPECT_NEAR(summarize(m.samples_s).median_s, one_s, 1e-9 * one_s);
    EXPECT_GE(m.launches_per_sample * one_s, 0.99 * options.min_batch_s) << one_s;
  }
}

TEST(Sampler, GoesOnToTheMostSamplesWhereTheMedianStaysUnknown) {
  FakeBackend fake;
  fake.time = [](int64_t n, std::size_t launches, Method) {
    return BatchTime{.seconds = (n % 2 ? 1e-4 : 3e-4) * static_cast<double>(launches)};
  };
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.status, Status::kOk) << m.reason;
  EXPECT_FALSE(m.converged);
  EXPECT_EQ(m.samples_s.size(), 100u);
}

TEST(Sampler, StopsAtTheTimeBudgetWithThreeSamplesAtLeast) {
  FakeBackend fake;
  fake.time = [](int64_t n, std::size_t, Method) {  // a call of 30 ms, in a budget of 20
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return BatchTime{.seconds = 0.03 + 0.001 * static_cast<double>(n % 3)};
  };
  SamplerOptions options = ample();
  options.time_budget_s = 0.02;
  const auto start = std::chrono::steady_clock::now();
  const Measurement m = Sampler(fake, options).measure(kCall);
  const double spent =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(m.status, Status::kOk) << m.reason;
  EXPECT_EQ(m.samples_s.size(), 3u);
  EXPECT_FALSE(m.converged);
  EXPECT_LT(spent, 1.0);
  EXPECT_NEAR(m.wall_s, spent, 0.3);
}

TEST(Sampler, RotatesOverFourTimesTheLastLevelCache) {
  FakeBackend fake;
  Sampler sampler(fake, ample());
  for (const std::vector<int64_t>& dims :
       {std::vector<int64_t>{1, 64}, {16, 128}, {64, 256}, {500, 300}}) {
    const Measurement m = sampler.measure({"rmsnorm", dims, Dtype::kF32, ""});
    ASSERT_EQ(m.status, Status::kOk) << m.reason;
    EXPECT_GE(m.rotation_bytes, 4 * fake.info.last_level_cache_bytes);
  }
}

// In the timed part, an argument set comes again only after all the others came: otherwise a part
// of the rotation would be found in the cache.
TEST(Sampler, NoOperandsComeAgainBeforeAllOthersCame) {
  for (double one_s : {1e-7, 2e-6, 3.1e-6, 7e-6, 23e-6, 150e-6, 1e-3}) {
    FakeBackend fake;
    fake.info.last_level_cache_bytes = 1 << 18;                 // 61 sets of 17 KiB
    fake.time = [&](int64_t n, std::size_t launches, Method) {  // never converges
      return BatchTime{.seconds = (n % 2 ? 1 : 3) * one_s * static_cast<double>(launches)};
    };
    const Measurement m = Sampler(fake, ample()).measure(kCall);
    ASSERT_EQ(m.status, Status::kOk) << m.reason;
    std::map<const void*, std::size_t> last;
    std::size_t at = 0, nearest = SIZE_MAX;
    const std::size_t runs = fake.ran.first_input.size();
    for (std::size_t run = runs - m.samples_s.size(); run < runs; ++run)
      for (const void* set : fake.ran.first_input[run]) {
        if (const auto it = last.find(set); it != last.end())
          nearest = std::min(nearest, at - it->second);
        last[set] = at++;
      }
    const int64_t footprint = 4 * (2 * 16 * 128 + 128);
    EXPECT_GE(static_cast<int64_t>(nearest) * footprint, 4 * fake.info.last_level_cache_bytes)
        << "launch of " << one_s << " s: a set came again after " << nearest << " launches";
  }
}

TEST(Sampler, ColdRunsOneLaunchPerBatch) {
  FakeBackend fake;
  const Measurement m = Sampler(fake, ample()).measure(kCall, Method::kCold);
  EXPECT_EQ(m.status, Status::kOk) << m.reason;
  EXPECT_EQ(m.method, Method::kCold);
  EXPECT_EQ(m.launches_per_sample, 1);
  int cold = 0;
  for (std::size_t i = 0; i < fake.ran.methods.size(); ++i)
    if (fake.ran.methods[i] == Method::kCold) {
      EXPECT_EQ(fake.ran.first_input[i].size(), 1u);
      ++cold;
    }
  EXPECT_GE(cold, static_cast<int>(m.samples_s.size()));
}

TEST(Sampler, GraphHoldsTheWholeRotation) {
  FakeBackend fake;
  fake.default_method = Method::kGraph;
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  EXPECT_EQ(m.method, Method::kGraph);
  const std::vector<const void*>& graph = fake.ran.first_input.back();
  const std::set<const void*> sets(graph.begin(), graph.end());
  EXPECT_GE(static_cast<int64_t>(sets.size()) * 4 * (2 * 16 * 128 + 128),
            4 * fake.info.last_level_cache_bytes);
  EXPECT_EQ(fake.ran.methods.back(), Method::kGraph);
}

TEST(Sampler, LabelsSamplesThatHadCompany) {
  FakeBackend fake;
  fake.time = [](int64_t n, std::size_t launches, Method) {
    return BatchTime{.seconds = (n % 2 ? 1e-4 : 1.5e-4) * static_cast<double>(launches),
                     .busy_fraction = n % 4 == 0 ? 0.6 : 0.99};
  };
  const Measurement m = Sampler(fake, ample()).measure(kCall);
  ASSERT_EQ(m.samples_s.size(), 100u);
  EXPECT_THAT(m.labels, Contains("interfered:25/100"));
  EXPECT_EQ(std::count(m.busy.begin(), m.busy.end(), 0.6), 25);
}

TEST(Sampler, DoesNotCallAnEvenlyIdleCallDisturbed) {
  FakeBackend fake;  // one of two threads computes: busy half of the time, always
  fake.time = [](int64_t, std::size_t launches, Method) {
    return BatchTime{.seconds = 1e-4 * static_cast<double>(launches), .busy_fraction = 0.5};
  };
  EXPECT_TRUE(Sampler(fake, ample()).measure(kCall).labels.empty());
}

TEST(Sampler, LabelsThrottlingAndKeepsMediansOfTelemetry) {
  FakeBackend fake;
  fake.time = [](int64_t n, std::size_t launches, Method) {
    return BatchTime{.seconds = (n % 2 ? 1e-4 : 3e-4) * static_cast<double>(launches)};
  };
  fake.on_telemetry = [](int64_t n) {
    Telemetry t;
    t.sm_clock_hz = n == 0 ? 1e9 : 1.5e9;
    t.power_w = 100.0 + static_cast<double>(n);
    if (n == 2) t.throttle_reasons = "power";
    return t;
  };
  const Measurement m = Sampler(fake, ample()).measure(kCall);  // 100 samples, 7 readings
  EXPECT_THAT(m.labels, Contains("throttled:power"));
  ASSERT_EQ(fake.telemetry_read, 7);
  EXPECT_EQ(m.telemetry.at("sm_clock_hz"), 1.5e9);
  EXPECT_EQ(m.telemetry.at("power_w"), 103);
  EXPECT_EQ(m.telemetry.count("temperature_c"), 0u) << "not told is not zero";
}

// The CPU's memory and clock, and launches that last a known time.
class TimedCpu final : public Backend {
 public:
  explicit TimedCpu(std::chrono::nanoseconds length) : length_(length) {}
  std::unique_ptr<Launch> bind(const Call& call, const Arguments& a) override {
    return make_launch([call, a, length = length_] {
      const auto until = std::chrono::steady_clock::now() + length;
      right_rmsnorm(call, a);
      while (std::chrono::steady_clock::now() < until) {
      }
    });
  }
  const DeviceInfo& device() const override { return cpu_->device(); }
  Telemetry telemetry() override { return cpu_->telemetry(); }
  std::vector<std::string> implementations(const Call&, std::string*) const override {
    return {"spin"};
  }
  std::unique_ptr<Buffer> allocate(int64_t bytes) override { return cpu_->allocate(bytes); }
  void upload(void* d, const void* h, int64_t n) override { cpu_->upload(d, h, n); }
  void download(void* h, const void* d, int64_t n) override { cpu_->download(h, d, n); }
  void copy(void* to, const void* from, int64_t n) override { cpu_->copy(to, from, n); }
  void fill(void* d, int value, int64_t n) override { cpu_->fill(d, value, n); }
  void synchronize() override { cpu_->synchronize(); }
  int64_t free_memory_bytes() override { return cpu_->free_memory_bytes(); }
  Method table_method() const override { return Method::kStream; }
  std::unique_ptr<Batch> batch(std::span<Launch* const> launches, Method method) override {
    return cpu_->batch(launches, method);
  }
  void push_range(const std::string& name) override { cpu_->push_range(name); }
  void pop_range() override { cpu_->pop_range(); }

 private:
  std::chrono::nanoseconds length_;
  std::unique_ptr<Backend> cpu_ = open_cpu_backend(1);
};

TEST(Sampler, TimesASpinOfKnownLength) {
  for (const int us : {5, 100, 700}) {
    TimedCpu backend(std::chrono::microseconds{us});
    // The least disturbed of a few tries: a busy machine makes a spin longer, never shorter.
    double best_s = 1e9;
    for (int i = 0; i < 5; ++i) {
      Sampler sampler(backend, {.time_budget_s = 0.05});
      const Measurement m = sampler.measure({"rmsnorm", {1, 64}, Dtype::kF32, ""});
      ASSERT_EQ(m.status, Status::kOk) << m.reason;
      best_s = std::min(best_s, summarize(m.samples_s).median_s);
    }
    EXPECT_NEAR(best_s, us * 1e-6, 0.2 * us * 1e-6);
  }
}

}  // namespace
}  // namespace ridge
