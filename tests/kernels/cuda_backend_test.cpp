// On a GPU: batches of the three methods run and compute, and faults are survived or reported.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "kernels/core/operators.h"
#include "profilers/verify.h"
#include "tests/kernels/cuda_device.h"

namespace ridge {
namespace {

using testing::HasSubstr;

const Call kGemm{"gemm", {64, 256, 128}, Dtype::kF16, ""};

class CudaBackendTest : public OnCuda {
 protected:
  // Runs the call through a batch of two launches on different operands, and checks the second.
  Verdict run_batch(Method method) {
    const OpSpec& spec = find_operator(kGemm.op);
    Arena arena(gpu(), 3);
    const auto sets = arena.operands(spec, kGemm, 2);
    const auto first = gpu().bind(kGemm, sets[0].arguments);
    const auto second = gpu().bind(kGemm, sets[1].arguments);
    const std::vector<Launch*> launches{first.get(), second.get()};
    const auto batch = gpu().batch(launches, method);
    const auto replay = make_launch([&] { EXPECT_GT(batch->run().seconds, 0); });
    return verify(gpu(), spec, kGemm, sets[1], *replay, 5, 1.0);
  }
};

TEST_F(CudaBackendTest, EveryMethodRunsTheLaunches) {
  for (Method method : {Method::kStream, Method::kGraph, Method::kCold}) {
    const Verdict v = run_batch(method);
    EXPECT_TRUE(v.correct) << name(method) << ": " << v.reason;
  }
}

TEST_F(CudaBackendTest, OutOfMemoryIsSurvived) {
  EXPECT_THROW(gpu().allocate(int64_t{1} << 50), OutOfMemory);
  const Verdict v = run_batch(Method::kGraph);
  EXPECT_TRUE(v.correct) << v.reason;
}

TEST_F(CudaBackendTest, LaunchThatCannotBeCapturedIsReportedAndSurvived) {
  const auto launch = make_launch([this] { gpu().synchronize(); });
  const std::vector<Launch*> launches{launch.get()};
  try {
    gpu().batch(launches, Method::kGraph);
    FAIL() << "a synchronisation was captured";
  } catch (const std::exception& e) {
    EXPECT_THAT(e.what(), HasSubstr("cannot capture"));
  }
  const Verdict v = run_batch(Method::kGraph);
  EXPECT_TRUE(v.correct) << v.reason;
}

TEST_F(CudaBackendTest, ChosenAlgorithmIsRecorded) {
  Arena arena(gpu(), 3);
  const auto sets = arena.operands(find_operator("gemm"), kGemm, 1);
  EXPECT_THAT(gpu().bind(kGemm, sets[0].arguments)->detail(),
              testing::AllOf(HasSubstr("algo "), HasSubstr("workspace"), HasSubstr("best of")));
}

TEST_F(CudaBackendTest, UnsupportedShapesSayWhatToChange) {
  std::string why;
  EXPECT_TRUE(gpu().implementations({"gemm", {16, 64, 102}, Dtype::kInt8, ""}, &why).empty());
  EXPECT_THAT(why, HasSubstr("k=102 must be a multiple of 4 for int8; pad k"));
}

TEST_F(CudaBackendTest, DeviceIsDescribed) {
  const DeviceInfo& d = gpu().device();
  EXPECT_EQ(d.kind, "cuda");
  EXPECT_THAT(d.uuid, testing::StartsWith("GPU-"));
  EXPECT_GT(d.units, 0);
  EXPECT_GT(d.last_level_cache_bytes, 0);
  EXPECT_GT(d.clock_hz, 1e8);
  EXPECT_LE(gpu().free_memory_bytes(), d.memory_bytes);
  for (const char* key : {"cuda", "cuda_driver", "cublas", "cudnn", "ecc", "max_sm_clock_hz"})
    EXPECT_TRUE(d.provenance.contains(key)) << key;
}

TEST_F(CudaBackendTest, TelemetryIsPlausibleWhereNvmlIsThere) {
  if (gpu().device().provenance.at("nvml") != "yes") GTEST_SKIP() << "no NVML here";
  const Telemetry t = gpu().telemetry();
  EXPECT_GT(t.sm_clock_hz.value_or(1e9), 1e8);
  EXPECT_LT(t.power_w.value_or(100), 2000);
  EXPECT_LT(t.temperature_c.value_or(40), 120);
}

TEST_F(CudaBackendTest, OverheadsAreBelowALaunch) {
  const auto costs = gpu().overheads();
  for (const char* key : {"event", "stream.independent", "graph.independent"}) {
    ASSERT_TRUE(costs.contains(key)) << key;
    EXPECT_LT(costs.at(key), 50e-6) << key;
    RecordProperty(key, std::to_string(costs.at(key) * 1e6) + " us");
  }
  EXPECT_GT(costs.at("stream.independent"), 0);
  EXPECT_GT(costs.at("graph.independent"), 0);
  EXPECT_LE(costs.at("graph.independent"), costs.at("stream.independent") * 1.5);
}

TEST_F(CudaBackendTest, HostCopiesRunAtPlausibleRates) {
  const int64_t bytes = int64_t{64} << 20;
  for (auto direction : {HostCopy::Direction::kToDevice, HostCopy::Direction::kToHost})
    for (auto memory : {HostCopy::Memory::kPinned, HostCopy::Memory::kPageable}) {
      const double seconds = gpu().host_copy({direction, memory}, bytes)->run().seconds;
      EXPECT_GT(static_cast<double>(bytes) / seconds, 0.2e9);
      EXPECT_LT(static_cast<double>(bytes) / seconds, 1e12);
    }
  EXPECT_THROW(gpu().host_copy({}, int64_t{1} << 50), OutOfMemory);
}

// In a process of its own: the device's context does not survive it.
TEST_F(CudaBackendTest, IllegalAddressIsReportedAsALostDevice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto use_bad_memory = [this] {
    char* unmapped = nullptr;
    unmapped += 1 << 20;
    try {
      gpu().bind(kGemm, {.inputs = {unmapped, unmapped}, .outputs = {unmapped}})->enqueue();
      gpu().synchronize();
    } catch (const std::exception& e) {
      std::cerr << e.what();
      std::_Exit(7);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(use_bad_memory(), testing::ExitedWithCode(7), "takes no more work");
}

}  // namespace
}  // namespace ridge
