#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/memory_stream/kernels.cuh"
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

// The exact sum, however often it is repeated: plain f32 sums drift from 10^5 passes on.
TEST(ShimMemoryStream, SharedSumsEqualTheReference) {
  for (int64_t passes : {1, 7, 8, 30, 1000}) {
    const Call call{"stream_shared", {2, passes}, Dtype::kF32, ""};
    shim::Case test(call);
    shim::launch({.grid = {2}, .block = {memory_stream::kSharedThreads}},
                 memory_stream::read_shared, test.in<float>(0), test.out<float>(0), passes);
    test.check();
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
