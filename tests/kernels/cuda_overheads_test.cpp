// Overheads and host copies against a runtime without a device, whose streams have clocks of their
// own: what is counted, what may overlap, and that nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "kernels/cuda/host_copy.h"
#include "kernels/cuda/overheads.h"
#include "tests/kernels/cuda_fake_runtime.h"

namespace ridge::cuda {
namespace {

using fake_cuda::state;
using testing::HasSubstr;

class CudaOverheads : public testing::Test {
 protected:
  CudaOverheads() { state() = {}; }
  void expect_nothing_left() {
    EXPECT_EQ(state().live_streams, 0);
    EXPECT_EQ(state().live_events, 0);
    EXPECT_EQ(state().live_graphs, 0);
    EXPECT_EQ(state().live_execs, 0);
    EXPECT_EQ(state().live_host, 0);
  }
  CudaContext context_;
};

TEST_F(CudaOverheads, EventIsWhatItAddsToAKernel) {
  state().tiny_s = 2e-6;
  state().event_s = 0.5e-6;
  EXPECT_NEAR(measure_overheads(context_).at("event"), 0.5e-6, 1e-9);
  expect_nothing_left();
}

TEST_F(CudaOverheads, IndependentKernelsOverlapOnEightStreams) {
  state().tiny_s = 2e-6;
  EXPECT_NEAR(measure_overheads(context_).at("stream.independent"), 2e-6 / 8, 1e-9);
}

// The nodes of a chain would take 2 µs each: with one node a branch a graph takes as long as one.
TEST_F(CudaOverheads, IndependentNodesDoNotWaitForEachOther) {
  state().tiny_s = 2e-6;
  EXPECT_NEAR(measure_overheads(context_).at("graph.independent"), 2e-6 / 64, 1e-10);
  const auto captured = std::count(state().log.begin(), state().log.end(), "capture tiny");
  EXPECT_EQ(captured, 64);
}

TEST_F(CudaOverheads, NamesAreThoseOfTheBackend) {
  std::vector<std::string> names;
  for (const auto& [name, seconds] : measure_overheads(context_)) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("event", "graph.independent", "stream.independent"));
}

TEST_F(CudaOverheads, FailureLeavesNothingBehind) {
  state().fail_sync_with = 700;  // cudaErrorIllegalAddress
  EXPECT_THROW(measure_overheads(context_), DeviceLost);
  expect_nothing_left();
  EXPECT_FALSE(state().capturing);
}

constexpr HostCopy kPinnedToDevice{HostCopy::Direction::kToDevice, HostCopy::Memory::kPinned};
constexpr HostCopy kPinnedToHost{HostCopy::Direction::kToHost, HostCopy::Memory::kPinned};
constexpr HostCopy kPageableToHost{HostCopy::Direction::kToHost, HostCopy::Memory::kPageable};

TEST_F(CudaOverheads, PinnedCopyIsTimedBetweenEvents) {
  state().copy_s = 1e-3;
  for (const auto& [how, name] : {std::pair{kPinnedToDevice, "launch copy to device"},
                                  std::pair{kPinnedToHost, "launch copy to host"}}) {
    const auto batch = host_copy_batch(context_, how, 1 << 20);
    EXPECT_EQ(state().live_host, 1);
    state().log.clear();
    EXPECT_NEAR(batch->run().seconds, 1e-3, 1e-8);
    EXPECT_THAT(state().log, testing::ElementsAre(name));
  }
  expect_nothing_left();
}

// By the host's clock, which the fake's does not move.
TEST_F(CudaOverheads, PageableCopyIsTimedToItsEnd) {
  state().copy_s = 10;
  const auto batch = host_copy_batch(context_, kPageableToHost, 1 << 20);
  EXPECT_EQ(state().live_host, 0);
  state().log.clear();
  const BatchTime t = batch->run();
  EXPECT_GT(t.seconds, 0);
  EXPECT_LT(t.seconds, 5);
  EXPECT_THAT(state().log, testing::ElementsAre("launch copy to host"));
  state().fail_sync_with = 700;  // seen only by who waits for the copy
  EXPECT_THROW(batch->run(), DeviceLost);
}

TEST_F(CudaOverheads, BuffersThatDoNotFitAreOutOfMemory) {
  try {
    host_copy_batch(context_, kPageableToHost, int64_t{1} << 50);
    FAIL();
  } catch (const OutOfMemory& e) {
    EXPECT_THAT(e.what(), HasSubstr("1073741824 MiB of pageable memory: the host has"));
  }
  state().host_malloc_fails = true;
  try {
    host_copy_batch(context_, kPinnedToHost, 1 << 20);
    FAIL();
  } catch (const OutOfMemory& e) {
    EXPECT_THAT(e.what(), HasSubstr("1 MiB of pinned memory"));
  }
  state().malloc_fails = true;
  EXPECT_THROW(host_copy_batch(context_, kPageableToHost, 1 << 20), OutOfMemory);
  expect_nothing_left();
}

}  // namespace
}  // namespace ridge::cuda
