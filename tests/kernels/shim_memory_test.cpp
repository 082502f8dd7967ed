#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/barrier/kernels.cuh"
#include "kernels/memory_mix/kernels.cuh"
#include "kernels/memory_pattern/kernels.cuh"
#include "kernels/memory_stream/kernels.cuh"
#include "kernels/pointer_chase/kernels.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

using cuda::Cache;

// {count, parts, passes, shift}: whole and ragged parts, more parts than grains, and blocks of
// every size.
const std::vector<std::vector<int64_t>> kStreams{
    {1, 1, 1, 0},     {4, 2, 1, 0},     {63, 1, 2, 0},     {1000, 3, 1, 0},   {4096, 4, 5, 1},
    {16384, 1, 1, 0}, {16385, 1, 3, 0}, {50003, 3, 1, 0},  {50003, 7, 4, 3},  {3000, 64, 2, 1},
    {70000, 7, 2, 0}, {33000, 2, 2, 1}, {140000, 2, 2, 0}, {140003, 2, 3, 1}, {40000, 4, 2, 0}};

template <class Kernel, class... Front>
void launch_stream(const memory_stream::Dims& d, Kernel kernel, Front... front) {
  shim::launch({.grid = {static_cast<unsigned>(d.parts)},
                .block = {static_cast<unsigned>(memory_stream::block_threads(d))}},
               kernel, front..., memory_stream::Parts(d.count, d.parts), d.parts, d.passes,
               d.shift);
}

TEST(ShimMemoryStream, SumsOfPartsEqualTheReference) {
  for (const auto& dims : kStreams) {
    const Call call{"stream_read", dims, Dtype::kF32, ""};
    shim::Case test(call);
    launch_stream(memory_stream::dims(call), memory_stream::read_parts<Cache::kL2>,
                  test.in<float>(0), test.out<float>(0));
    test.check();
  }
}

template <class MakeSource>
void check_writer(const char* op, MakeSource make_source) {
  for (const auto& dims : kStreams) {
    const Call call{op, dims, Dtype::kF32, ""};
    shim::Case test(call);
    const auto source = make_source(test);
    launch_stream(
        memory_stream::dims(call),
        memory_stream::write_parts<Cache::kStreaming, std::remove_const_t<decltype(source)>>,
        source, test.out<float>(0));
    test.check();
  }
}

TEST(ShimMemoryStream, WritersEqualTheReference) {
  check_writer("stream_write",
               [](const shim::Case& t) { return memory_stream::Pattern{t.in<float>(0)}; });
  check_writer("stream_copy",
               [](const shim::Case& t) { return memory_stream::Same{t.in<float>(0)}; });
  check_writer("stream_scale", [](const shim::Case& t) {
    return memory_stream::Scaled{t.in<float>(0), t.in<float>(1)};
  });
  check_writer("stream_triad", [](const shim::Case& t) {
    return memory_stream::Triad{t.in<float>(0), t.in<float>(1), t.in<float>(2)};
  });
}

TEST(ShimMemoryStream, SharedSumsEqualTheReference) {
  for (int64_t passes : {1, 7, 8, 30, 1000}) {
    const Call call{"stream_shared", {2, passes}, Dtype::kF32, ""};
    shim::Case test(call);
    shim::launch({.grid = {2}, .block = {memory_stream::kSharedThreads}},
                 memory_stream::read_shared, test.in<float>(0), test.out<float>(0), passes);
    test.check();
  }
}

template <int kTeam>
void launch_mix(shim::Case& test, const memory_mix::Dims& d, unsigned grid) {
  const bool reads = d.reads > 0, writes = d.writes > 0;
  shim::launch({.grid = {grid}, .block = {memory_mix::kThreads}}, memory_mix::move_groups<kTeam>,
               writes ? test.in<float>(0) : nullptr, reads ? test.in<float>(writes) : nullptr,
               writes ? test.out<float>(0) : nullptr, reads ? test.out<float>(writes) : nullptr, d);
}

// Every ratio, bursts shorter and longer than a team's step, and fewer teams than groups.
TEST(ShimMemoryMix, GroupsEqualTheReference) {
  const std::vector<std::pair<int64_t, int64_t>> ratios{{0, 1}, {1, 3}, {1, 2}, {1, 1},
                                                        {2, 1}, {3, 1}, {1, 0}};
  for (const auto& [reads, writes] : ratios)
    for (int64_t burst : {64, 832, 4160}) {
      const Call call{"stream_mix", {60'000, reads, writes, burst}, Dtype::kF32, ""};
      const memory_mix::Dims d = memory_mix::dims(call);
      shim::Case by_warps(call), by_blocks(call);
      launch_mix<32>(by_warps, d, 2);
      by_warps.check();
      launch_mix<memory_mix::kThreads>(by_blocks, d, 3);
      by_blocks.check();
    }
}

TEST(MemoryMix, WorkIsWhatWholeGroupsMove) {
  const auto work = [](std::vector<int64_t> dims) {
    return find_operator("stream_mix").work({"stream_mix", std::move(dims), Dtype::kF32, ""});
  };
  // Three groups of 192 elements; one where not even one fits.
  EXPECT_EQ(work({700, 2, 1, 64}).bytes_read, 3 * 512 + 256);
  EXPECT_EQ(work({700, 2, 1, 64}).bytes_written, 3 * 256 + 3 * 4);
  EXPECT_EQ(work({1, 1, 0, 64}).bytes_read, 256);
  EXPECT_EQ(work({1, 0, 1, 64}).bytes_written, 256);
  EXPECT_EQ(work({1, 0, 1, 64}).bytes_read, 256);
}

TEST(ShimMemoryPattern, StridesEqualTheReference) {
  for (int64_t count : {1, 255, 4096, 4097, 9000})
    for (int64_t stride : {1, 3, 32}) {
      const Call call{"stride_read", {count, stride}, Dtype::kF32, ""};
      const auto d = memory_pattern::stride_dims(call);
      shim::Case test(call);
      shim::launch(
          {.grid = {static_cast<unsigned>(d.chunks())}, .block = {memory_pattern::kThreads}},
          memory_pattern::sum_strided, test.in<float>(0), test.out<float>(0), d);
      test.check();
    }
}

template <int kLanes>
void check_rows() {
  for (int64_t rows : {1, 33, 1024, 1025, 3001})
    for (bool gather : {true, false}) {
      const int64_t table_rows = gather ? 777 : rows;
      const Call call{
          gather ? "gather" : "scatter", {rows, 16 * kLanes, table_rows}, Dtype::kF32, ""};
      const auto d = memory_pattern::row_dims(call);
      shim::Case test(call);
      shim::launch(
          {.grid = {static_cast<unsigned>(d.chunks())}, .block = {memory_pattern::kThreads}},
          gather ? memory_pattern::sum_rows<kLanes> : memory_pattern::write_rows<kLanes>,
          test.in<float>(0), test.in<int>(1), test.out<float>(0), d);
      test.check();
    }
}

TEST(ShimMemoryPattern, RowsEqualTheReference) {
  check_rows<2>();
  check_rows<4>();
  check_rows<8>();
}

TEST(MemoryPattern, WorkCountsWhatIsUsedAndTheIndices) {
  const auto work = [](const char* op, std::vector<int64_t> dims) {
    return find_operator(op).work({op, std::move(dims), Dtype::kF32, ""});
  };
  EXPECT_EQ(work("stride_read", {5000, 16}).bytes_read, 20000);
  EXPECT_EQ(work("stride_read", {5000, 16}).bytes_written, 8);
  EXPECT_EQ(work("gather", {3000, 64, 7}).bytes_read, 3000 * (64 + 4));
  EXPECT_EQ(work("gather", {3000, 64, 7}).bytes_written, 12);
  EXPECT_EQ(work("scatter", {3000, 128, 3000}).bytes_written, 3000 * 128);
  EXPECT_EQ(work("scatter", {3000, 128, 3000}).bytes_read, 3000 * 4 + 256);
}

TEST(ShimPointerChase, EndsWhereTheReferenceDoes) {
  for (const auto& dims : find_operator("pointer_chase").test_dims) {
    shim::Case test({"pointer_chase", dims, Dtype::kInt32, ""});
    shim::launch({}, pointer_chase::follow<Cache::kL1>, test.in<int>(0), test.out<int>(0),
                 dims.back());
    test.check();
  }
}

// The shim runs one block after another: what needs no barrier between them.
TEST(ShimBarrier, OnePartOrOneRoundEqualsTheReference) {
  for (const auto& dims : {std::vector<int64_t>{1, 1}, {1, 6}, {7, 1}}) {
    const Call call{"barrier", dims, Dtype::kF32, ""};
    const barrier::Dims d = barrier::dims(call);
    std::vector<float> scratch(static_cast<std::size_t>(barrier::scratch_elements(d.parts)));
    int waits = 0;
    shim::Case test(call);
    const float* x = test.in<float>(0);
    float* y = test.out<float>(0);
    shim::launch({.grid = {static_cast<unsigned>(d.parts)}},
                 [&] { barrier::pass_on(x, scratch.data(), y, d, [&waits] { ++waits; }); });
    test.check();
    EXPECT_EQ(waits, d.parts * (d.rounds - 1));
  }
}

TEST(MemoryStream, PartsAreEvenAlignedAndCoverEverything) {
  for (int64_t count : {1, 64, 1000, 4096, 100003})
    for (int64_t n : {1, 2, 3, 7, 132, 3000}) {
      const memory_stream::Parts parts(count, n);
      EXPECT_EQ(parts.first(0), 0);
      EXPECT_EQ(parts.last(n - 1), count);
      const int64_t most = parts.last(0);
      for (int64_t p = 0; p < n; ++p) {
        EXPECT_LE(parts.first(p), parts.last(p));
        EXPECT_LE(parts.last(p) - parts.first(p), most);
        if (parts.last(p) < count) {
          EXPECT_GE(parts.last(p) - parts.first(p), most - memory_stream::kGrain);
          EXPECT_EQ(parts.last(p) % memory_stream::kGrain, 0);
        }
      }
    }
}

TEST(MemoryStream, WorkIsWhatAllPassesMove) {
  const auto work = [](const char* op, std::vector<int64_t> dims) {
    return find_operator(op).work({op, std::move(dims), Dtype::kF32, ""});
  };
  EXPECT_EQ(work("stream_read", {1000, 5, 3, 1}).bytes_read, 12000);
  EXPECT_EQ(work("stream_read", {1000, 5, 3, 1}).bytes_written, 20);
  EXPECT_EQ(work("stream_write", {1000, 5, 3, 1}).bytes_read, 256);
  EXPECT_EQ(work("stream_write", {1000, 5, 3, 1}).bytes_written, 12000);
  EXPECT_EQ(work("stream_scale", {1000, 5, 3, 1}).bytes_read, 12000);
  EXPECT_EQ(work("stream_triad", {1000, 5, 3, 1}).bytes_read, 24000);
  EXPECT_EQ(work("stream_triad", {1000, 5, 3, 1}).bytes_written, 12000);
  EXPECT_EQ(work("stream_shared", {3, 10}).bytes_read, 3 * 10 * 32768);
}

}  // namespace
}  // namespace ridge
