// A calibration of this machine's CPU, killed and resumed, and of a scripted device.
#include "calibrate/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/operators.h"
#include "kernels/cpu/cpu_backend.h"
#include "tests/calibrate/test_ceilings.h"
#include "tests/profilers/fake_backend.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

// Where this is set, the program is a calibration of the CPU in that folder, made to be killed.
constexpr const char* kVictim = "RIDGE_TEST_CALIBRATE_FOLDER";

CalibrationOptions options_for(const fs::path& folder, double budget_s) {
  return {.folder = folder,
          .budget_s = budget_s,
          .resume = true,
          .only = {"rmsnorm"},
          .provenance = {{"command_line", "test"}}};
}

int victim(const fs::path& folder) {
  const auto cpu = open_cpu_backend();
  return run_calibration(*cpu, options_for(folder, 30)).interrupted ? 42 : 0;
}

class CalibrationRun : public testing::Test {
 protected:
  CalibrationRun() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              (std::string("run_") + info->name() + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~CalibrationRun() override { fs::remove_all(folder_); }

  // Known ceilings, so that the run begins with its sweep.
  void give_ceilings(const std::string& device) const {
    write_json(folder_ / "ceilings.json", to_json(every_ceiling(device)));
  }
  std::string journal() const {
    std::ifstream in(folder_ / "measurements.jsonl", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  long lines() const {
    const std::string text = journal();
    return std::count(text.begin(), text.end(), '\n');
  }

  pid_t start_victim() const {
    const pid_t child = fork();
    if (child == 0) {
      setenv(kVictim, folder_.c_str(), 1);
      execl("/proc/self/exe", "victim", nullptr);
      _exit(127);
    }
    return child;
  }
  // Waits until `more` lines were written; false after half a minute.
  bool await_lines(long more) const {
    for (int i = 0; i < 3000 && lines() < more; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return lines() >= more;
  }
  static int end(pid_t child, int signal) {
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }

  fs::path folder_;
};

std::string whole_lines(const std::string& text) { return text.substr(0, text.rfind('\n') + 1); }

std::vector<Measurement> parse(const std::string& text) {
  std::vector<Measurement> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto j = nlohmann::json::parse(line);
    if (!j.contains("run")) all.push_back(measurement_from_json(j));
  }
  return all;
}

TEST_F(CalibrationRun, KillsNeitherLoseNorRepeatAMeasurement) {
  give_ceilings(open_cpu_backend()->device().name);
  std::string kept;
  for (long more : {4L, 7L, 5L}) {
    const long before = std::count(kept.begin(), kept.end(), '\n');
    const pid_t child = start_victim();
    const bool wrote = await_lines(before + more);
    const int status = end(child, SIGKILL);
    ASSERT_TRUE(wrote) << journal();
    ASSERT_TRUE(WIFSIGNALED(status));
    const std::string now = whole_lines(journal());
    ASSERT_EQ(now.substr(0, kept.size()), kept) << "a finished measurement was lost or changed";
    kept = now;
  }
  const std::size_t before = parse(kept).size();
  double spent_s = 0;
  for (const Measurement& m : parse(kept)) spent_s += m.wall_s;

  const auto cpu = open_cpu_backend();
  const CalibrationResult result = run_calibration(*cpu, options_for(folder_, spent_s + 1.5));
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(journal().substr(0, kept.size()), kept);
  const std::vector<Measurement> all = parse(journal());
  EXPECT_GT(all.size(), before) << "the resumed run measured nothing";
  EXPECT_EQ(result.measurements.size(), all.size());
  std::set<Call> seen;
  std::set<std::string> runs;
  int timed = 0;
  for (const Measurement& m : all) {
    runs.insert(m.run_id);
    timed += m.status == Status::kOk;
    if (!m.anchor) {
      EXPECT_TRUE(seen.insert(m.call).second) << to_string(m.call) << " was measured twice";
    }
  }
  EXPECT_EQ(runs.size(), 4u);
  EXPECT_GT(timed, 5);
}

TEST_F(CalibrationRun, EndsAfterTheMeasurementInHandWhenAskedTo) {
  give_ceilings(open_cpu_backend()->device().name);
  for (int signal : {SIGTERM, SIGINT}) {
    const long before = lines();
    const pid_t child = start_victim();
    const bool wrote = await_lines(before + 3);
    const int status = end(child, signal);
    ASSERT_TRUE(wrote);
    ASSERT_TRUE(WIFEXITED(status)) << "killed by the signal";
    EXPECT_EQ(WEXITSTATUS(status), 42);
    EXPECT_EQ(journal().back(), '\n');
  }
}

TEST_F(CalibrationRun, RefusesCeilingsAndMeasurementsOfAnotherDevice) {
  FakeBackend fake;
  give_ceilings("Other GPU");
  EXPECT_THROW((void)run_calibration(fake, options_for(folder_, 1)), BadInput);
  give_ceilings(fake.info.name);
  std::ofstream(folder_ / "measurements.jsonl") << "{\"run\": {\"device\": \"Other GPU\"}}\n";
  EXPECT_THROW((void)run_calibration(fake, options_for(folder_, 1)), BadInput);
}

TEST_F(CalibrationRun, GoesOnWhereCallsRunOutOfMemoryFailOrComputeWrongly) {
  FakeBackend fake;
  give_ceilings(fake.info.name);
  fake.on_bind = [](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    if (call.dims[1] % 3 == 0) throw OutOfMemory("no room for the workspace");
    if (call.dims[1] % 3 == 1) throw std::runtime_error("no algorithm");
    return std::make_unique<FakeLaunch>(a, [call, a] { right_rmsnorm(call, a); });
  };
  const CalibrationResult result = run_calibration(fake, options_for(folder_, 3));
  std::set<std::string> reasons;
  int ok = 0;
  for (const Measurement& m : result.measurements) {
    ok += m.status == Status::kOk;
    if (m.status == Status::kOk) continue;
    EXPECT_TRUE(m.samples_s.empty());
    reasons.insert(m.status == Status::kWrong ? "wrong" : m.reason);
  }
  EXPECT_GT(ok, 10);
  EXPECT_THAT(reasons, Contains("out of memory: no room for the workspace"));
  EXPECT_THAT(reasons, Contains("no algorithm"));
  EXPECT_THAT(reasons, Contains("wrong"));
}

TEST_F(CalibrationRun, EndsWhereTheDeviceIsLostAndLeavesThatCallOutOnResume) {
  FakeBackend fake;
  give_ceilings(fake.info.name);
  std::set<Call> deadly;
  int bound = 0;
  fake.on_bind = [&](const Call& call, const Arguments& a) -> std::unique_ptr<Launch> {
    if (++bound > 20 || deadly.count(call) > 0) {
      deadly.insert(call);
      throw DeviceLost("an illegal memory access");
    }
    return std::make_unique<FakeLaunch>(a, [call, a] { right_rmsnorm(call, a); });
  };
  try {
    (void)run_calibration(fake, options_for(folder_, 30));
    FAIL() << "went on without a device";
  } catch (const DeviceLost& e) {
    EXPECT_THAT(e.what(), HasSubstr("--resume"));
  }
  ASSERT_EQ(deadly.size(), 1u);
  const Measurement last = parse(journal()).back();
  EXPECT_EQ(last.call, *deadly.begin());
  EXPECT_EQ(last.status, Status::kSkipped);
  EXPECT_THAT(last.reason, HasSubstr("illegal memory access"));
  bound = -1000000;
  EXPECT_NO_THROW((void)run_calibration(fake, options_for(folder_, 1.5)));
}

TEST_F(CalibrationRun, RemeasuresItsAnchorsThroughTheRun) {
  FakeBackend fake;
  give_ceilings(fake.info.name);
  const CalibrationResult result = run_calibration(fake, options_for(folder_, 4));
  std::map<Call, int> anchors;
  int sweep = 0;
  for (const Measurement& m : result.measurements)
    m.anchor ? void(anchors[m.call] += 1) : void(++sweep);
  ASSERT_GT(sweep, 80) << "too slow a machine to see an anchor come again";
  int again = 0;
  for (const auto& [call, times] : anchors) again = std::max(again, times);
  EXPECT_GE(again, 2);
}

TEST_F(CalibrationRun, KeepsToItsBudget) {
  FakeBackend fake;
  give_ceilings(fake.info.name);
  const auto start = std::chrono::steady_clock::now();
  const CalibrationResult result = run_calibration(fake, options_for(folder_, 2));
  const double spent =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LT(spent, 4);
  EXPECT_NEAR(result.spent_s, spent, 0.5);
  // What an earlier run spent counts: nothing is left of the budget.
  const std::size_t before = result.measurements.size();
  const CalibrationResult resumed = run_calibration(fake, options_for(folder_, 0.5));
  EXPECT_LE(resumed.measurements.size(), before + 1);
}

}  // namespace
}  // namespace ridge

int main(int argc, char** argv) {
  if (const char* folder = std::getenv(ridge::kVictim)) return ridge::victim(folder);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
