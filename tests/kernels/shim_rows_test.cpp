#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/norm/kernels.cuh"
#include "kernels/softmax/kernels.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

using cuda::Pack;
using cuda::Reuse;
using cuda::RowLaunch;
using norm::Norm;

// Rows and columns that reach every kernel: a warp and a block to a row, 1 to 4 packs in registers,
// rows that are read again; aligned and not; one element.
struct Shape {
  int64_t rows, cols;
};
constexpr Shape kShapes[] = {{1, 1},     {3, 8},    {17, 64},  {9, 131},   {5, 1000}, {2, 2047},
                             {11, 4096}, {3, 8192}, {2, 9001}, {2, 16384}, {1, 40000}};

// Once as for latency on a large GPU, once as for a great many rows.
constexpr int kMultiprocessors[] = {132, 0};

template <class Run>
void for_launches(int elements_per_pack, Run run) {
  for (const Shape& s : kShapes)
    for (int multiprocessors : kMultiprocessors)
      run(s, cuda::row_launch(s.rows, s.cols, elements_per_pack, multiprocessors));
}

template <Norm kind, class T, int kPacks>
void launch_norm(const RowLaunch& l, const norm::Tensors<T>& t) {
  shim::launch({.grid = l.grid, .block = l.block},
               norm::normalise<kind, T, kPacks, Reuse::kStreaming>, t);
}

template <Norm kind, class T>
void check_norm(const char* op, Dtype dtype) {
  for_launches(Pack<T>::kCount, [&](Shape s, const RowLaunch& l) {
    shim::Case test({op, {s.rows, s.cols}, dtype, ""});
    const bool add = kind == Norm::kAddRms;
    const norm::Tensors<T> t{.x = test.in<T>(0),
                             .residual = add ? test.in<T>(1) : nullptr,
                             .w = test.in<T>(add ? 2 : 1),
                             .bias = kind == Norm::kLayer ? test.in<T>(2) : nullptr,
                             .y = test.out<T>(0),
                             .sum = add ? test.out<T>(1) : nullptr,
                             .rows = s.rows,
                             .cols = s.cols,
                             .epsilon = 1e-5f};
    if (l.packs == 1) launch_norm<kind, T, 1>(l, t);
    if (l.packs == 2) launch_norm<kind, T, 2>(l, t);
    if (l.packs == 4) launch_norm<kind, T, 4>(l, t);
    if (l.packs == 0) launch_norm<kind, T, 0>(l, t);
    test.check();
  });
}

template <Norm kind>
void check_norm_in_every_dtype(const char* op) {
  check_norm<kind, float>(op, Dtype::kF32);
  check_norm<kind, __half>(op, Dtype::kF16);
  check_norm<kind, __nv_bfloat16>(op, Dtype::kBf16);
}

TEST(ShimNorm, RmsnormEqualsTheReference) { check_norm_in_every_dtype<Norm::kRms>("rmsnorm"); }
TEST(ShimNorm, AddRmsnormEqualsTheReference) {
  check_norm_in_every_dtype<Norm::kAddRms>("add_rmsnorm");
}
TEST(ShimNorm, LayernormEqualsTheReference) {
  check_norm_in_every_dtype<Norm::kLayer>("layernorm");
}

template <class T>
void check_softmax(Dtype dtype) {
  for_launches(Pack<T>::kCount, [&](Shape s, const RowLaunch& l) {
    shim::Case test({"softmax", {s.rows, s.cols}, dtype, ""});
    const auto kernel = l.packs == 1   ? softmax::softmax_kept<T, 1, Reuse::kStreaming>
                        : l.packs == 2 ? softmax::softmax_kept<T, 2, Reuse::kStreaming>
                        : l.packs == 4 ? softmax::softmax_kept<T, 4, Reuse::kStreaming>
                                       : softmax::softmax_online<T>;
    shim::launch({.grid = l.grid, .block = l.block}, kernel, test.in<T>(0), test.out<T>(0), s.rows,
                 s.cols);
    test.check();
  });
}

TEST(ShimSoftmax, EqualsTheReference) {
  check_softmax<float>(Dtype::kF32);
  check_softmax<__half>(Dtype::kF16);
  check_softmax<__nv_bfloat16>(Dtype::kBf16);
}

TEST(RowLaunch, EveryRowAndColumnHasAThread) {
  for (int64_t rows : {int64_t{1}, int64_t{65536}, int64_t{70001}, int64_t{1} << 30})
    for (int64_t cols : {1, 7, 256, 1000, 4096, 8193, 16384, 32768, 128256})
      for (int elements : {4, 8}) {
        const RowLaunch l = cuda::row_launch(rows, cols, elements, 132);
        EXPECT_GE(int64_t{l.grid.x} * l.block.y, rows);
        EXPECT_LE(l.block.x * l.block.y, 1024u);
        EXPECT_LE(l.grid.x, 0x7fffffffu);
        EXPECT_TRUE(l.block.x == 32 || l.block.y == 1);
        if (l.packs > 0) {
          EXPECT_GE(int64_t{l.packs} * l.block.x * elements, cols) << rows << " × " << cols;
        }
      }
}

}  // namespace
}  // namespace ridge
