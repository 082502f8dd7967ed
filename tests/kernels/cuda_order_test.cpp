// The order of CUDA calls and the cleaning up after failures, against a runtime without a device.
// The real device's tests are in cuda_backend_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "kernels/core/error.h"
#include "kernels/cuda/batch.h"
#include "kernels/cuda/lt_matmul.h"
#include "tests/kernels/cuda_fake_runtime.h"

namespace ridge::cuda {
namespace {

using fake_cuda::state;
using testing::ElementsAre;
using testing::HasSubstr;

class CudaOrder : public testing::Test {
 protected:
  CudaOrder() {
    state() = {};
    context_.flush_l2 = [] { fake_cuda::launch("flush", 1e-4); };
  }
  std::unique_ptr<Launch> named(const std::string& name, std::function<void()> body) {
    return std::make_unique<NamedLaunch>(make_launch(std::move(body)), name);
  }
  std::unique_ptr<Launch> plain(const std::string& name, double time_s) {
    return named(name, [=] { fake_cuda::launch(name, time_s); });
  }
  std::unique_ptr<Launch> matmul(int64_t m) {
    return bind_lt_matmul(context_, {.m = m, .n = 8, .k = 8}, {});
  }

  CudaContext context_;
};

TEST_F(CudaOrder, StreamBatchTimesAllLaunches) {
  const auto a = plain("A", 2e-3), b = plain("B", 3e-3);
  const std::vector<Launch*> launches{a.get(), b.get()};
  EXPECT_NEAR(stream_batch(context_, launches)->run().seconds, 5e-3, 1e-8);
  EXPECT_THAT(state().log, ElementsAre("launch A", "launch B"));
}

TEST_F(CudaOrder, ColdBatchFlushesBeforeEachLaunchAndOutsideTheTime) {
  const auto a = plain("A", 2e-3), b = plain("B", 3e-3);
  const std::vector<Launch*> launches{a.get(), b.get()};
  const L2Flusher flusher(context_);
  EXPECT_NEAR(cold_batch(context_, launches, flusher)->run().seconds, 5e-3, 1e-8);
  EXPECT_THAT(state().log, ElementsAre("launch flush", "launch A", "launch flush", "launch B"));
}

TEST_F(CudaOrder, GraphIsWarmedCapturedUploadedAndReplayed) {
  const auto a = plain("A", 2e-3);
  const std::vector<Launch*> launches{a.get()};
  {
    const auto batch = graph_batch(context_, launches);
    EXPECT_THAT(state().log, ElementsAre("launch A", "begin capture", "capture A", "end capture",
                                         "upload graph", "launch graph"));
    state().log.clear();
    EXPECT_NEAR(batch->run().seconds, 2e-3, 1e-8);
    EXPECT_THAT(state().log, ElementsAre("launch graph"));
    EXPECT_EQ(state().live_graphs, 0);
  }
  EXPECT_EQ(state().live_execs, 0);
}

TEST_F(CudaOrder, FailedCaptureIsEndedAndNamesTheCall) {
  const auto a = plain("A", 1e-3);
  const auto throws = named("gemm m=3", [] {
    if (state().capturing) throw std::runtime_error("no capture of this");
  });
  const auto synchronises = named("gemm m=4", [] { fake_cuda::break_capture(); });
  for (const auto& [bad, name] :
       {std::pair{throws.get(), "gemm m=3"}, std::pair{synchronises.get(), "gemm m=4"}}) {
    const std::vector<Launch*> launches{a.get(), bad, a.get()};
    try {
      graph_batch(context_, launches);
      FAIL() << name << " was captured";
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), HasSubstr(std::string("cannot capture ") + name));
    }
    EXPECT_FALSE(state().capturing);
    EXPECT_FALSE(state().invalidated);
    EXPECT_EQ(state().live_graphs, 0);
  }
  const std::vector<Launch*> good{a.get()};
  EXPECT_NO_THROW(graph_batch(context_, good));
}

TEST_F(CudaOrder, ErrorsBecomeTheRightExceptions) {
  const auto a = plain("A", 1e-3);
  const std::vector<Launch*> launches{a.get()};
  const auto batch = stream_batch(context_, launches);
  state().fail_sync_with = cudaErrorIllegalAddress;
  try {
    batch->run();
    FAIL();
  } catch (const DeviceLost& e) {
    EXPECT_THAT(e.what(), HasSubstr("takes no more work from this process"));
  }
  state().malloc_fails = true;
  EXPECT_THROW(DeviceMemory(1 << 20), OutOfMemory);
  state().malloc_fails = false;
  EXPECT_NO_THROW(DeviceMemory(1 << 20));
}

TEST_F(CudaOrder, TunerKeepsTheFastestAndSaysBy) {
  state().algorithms = {{1e-3}, {2e-3}, {0.5e-3}, {0.1e-3, true}, {1.2e-3}};
  const auto launch = matmul(8);
  EXPECT_EQ(launch->detail(),
            "algo 2 tile 0 stages 0 cluster 0 splitk 1, workspace 0 MiB, best of 4 timed of 5 "
            "proposed, 100 % faster than the first");
  state().log.clear();
  launch->enqueue();
  EXPECT_THAT(state().log, ElementsAre("launch matmul 2"));
}

TEST_F(CudaOrder, TunerTimesColdOperands) {
  state().algorithms = {{1e-3}, {2e-3}};
  matmul(8);
  for (std::size_t i = 0; i < state().log.size(); ++i)
    if (state().log[i].starts_with("launch matmul")) {
      ASSERT_GT(i, 0u);
      EXPECT_EQ(state().log[i - 1], "launch flush");
    }
}

TEST_F(CudaOrder, TunerChoosesOncePerShape) {
  state().algorithms = {{1e-3}, {2e-3}};
  matmul(8);
  state().log.clear();
  matmul(8);
  EXPECT_TRUE(state().log.empty());
  matmul(9);
  EXPECT_FALSE(state().log.empty());
}

TEST_F(CudaOrder, TunerStopsAtItsBudget) {
  state().algorithms = {{0.5}, {0.4}, {0.3}};  // the first alone is past it
  EXPECT_THAT(matmul(8)->detail(), HasSubstr("best of 1 timed of 3 proposed"));
  EXPECT_THAT(state().runs, ElementsAre(2, 0, 0));
  state().algorithms = {{1e-3}, {1e-3}, {1e-3}, {1e-3}, {1e-3}, {1e-3}, {1e-3}, {1e-3}};
  const double before_s = state().now_s;
  matmul(9);
  EXPECT_LT(state().now_s - before_s, 40e-3);
  for (int runs : state().runs) EXPECT_GE(runs, 3);
}

TEST_F(CudaOrder, ProductWithoutAlgorithmIsBadInput) {
  EXPECT_THROW(matmul(8), BadInput);
  state().algorithms = {{1e-3, true}};
  EXPECT_THROW(matmul(9), BadInput);
}

// A row-major product against the loops that define it, through the column-major library.
template <class T>
void expect_product(CudaContext& context, const LtMatmul& p) {
  const auto size = [](int64_t count) { return static_cast<std::size_t>(count); };
  std::vector<T> a(size(p.batch * p.m * p.k)), b(size(p.batch * p.k * p.n)),
      d(size(p.batch * p.m * p.n), NAN);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(i % 7) - T{3};
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<T>(i % 5) - T{2};
  bind_lt_matmul(context, p, {.a = a.data(), .b = b.data(), .d = d.data()})->enqueue();
  for (int64_t batch = 0; batch < p.batch; ++batch)
    for (int64_t row = 0; row < p.m; ++row)
      for (int64_t column = 0; column < p.n; ++column) {
        T sum = 0;
        for (int64_t i = 0; i < p.k; ++i)
          sum += a[size((batch * p.m + row) * p.k + i)] *
                 b[size(batch * p.k * p.n +
                        (p.right == Right::kNK ? column * p.k + i : i * p.n + column))];
        ASSERT_EQ(d[size((batch * p.m + row) * p.n + column)], static_cast<T>(p.scale) * sum)
            << batch << " " << row << " " << column;
      }
}

TEST_F(CudaOrder, RowMajorProductsReachTheColumnMajorLibrary) {
  state().algorithms = {{1e-3}, {2e-3}};
  for (Right right : {Right::kNK, Right::kKN})
    for (int64_t batch : {1, 3}) {
      expect_product<float>(context_, {.batch = batch, .m = 3, .n = 4, .k = 5, .right = right});
      expect_product<float>(
          context_, {.batch = batch, .m = 1, .n = 6, .k = 2, .right = right, .scale = 0.5f});
    }
}

// alpha and beta are read as doubles, too.
TEST_F(CudaOrder, DoubleProductsHaveDoubleScalars) {
  state().algorithms = {{1e-3}, {2e-3}};
  expect_product<double>(context_, {.batch = 2,
                                    .m = 3,
                                    .n = 4,
                                    .k = 5,
                                    .dtype = Dtype::kF64,
                                    .output = Dtype::kF64,
                                    .scale = 0.5f});
}

TEST_F(CudaOrder, ScratchIsSharedWhileItFitsAndFreedWithItsLastUser) {
  auto a = shared_scratch(context_, "x", 100);
  auto b = shared_scratch(context_, "x", 50);
  EXPECT_EQ(a, b);
  EXPECT_NE(shared_scratch(context_, "x", 200), a);
  EXPECT_NE(shared_scratch(context_, "y", 50), a);
  const std::weak_ptr<DeviceMemory> gone = a;
  a.reset();
  b.reset();
  EXPECT_TRUE(gone.expired());
}

}  // namespace
}  // namespace ridge::cuda
