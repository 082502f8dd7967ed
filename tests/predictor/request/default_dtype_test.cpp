#include "predictor/request/default_dtype.h"

#include <gtest/gtest.h>

#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

Model in(Dtype dtype) {
  Model m = made_up::model();
  m.dtype = dtype;
  return m;
}

TEST(DefaultDtype, IsTheModelsWhereTheGpuHasIt) {
  for (const char* gpu : {"l4", "a100", "h200", "no such GPU"}) {
    EXPECT_EQ(default_dtype(in(Dtype::kBf16), gpu), Dtype::kBf16) << gpu;
    EXPECT_EQ(default_dtype(in(Dtype::kF16), gpu), Dtype::kF16) << gpu;
  }
}

TEST(DefaultDtype, IsF16OnGpusWithoutBf16) {
  for (const char* gpu : {"t4", "v100"}) {
    EXPECT_EQ(default_dtype(in(Dtype::kBf16), gpu), Dtype::kF16) << gpu;
    EXPECT_EQ(default_dtype(in(Dtype::kF16), gpu), Dtype::kF16) << gpu;
    EXPECT_EQ(default_dtype(in(Dtype::kF32), gpu), Dtype::kF32) << gpu;
  }
}

TEST(DefaultDtype, OfTablesIsByTheirCeilings) {
  EXPECT_EQ(default_dtype(in(Dtype::kBf16), made_up::tables()), Dtype::kF16);
  EXPECT_EQ(default_dtype(in(Dtype::kF32), made_up::tables()), Dtype::kF32);
}

TEST(DefaultDtype, FallsBackToF32AndThenToTheModels) {
  EXPECT_EQ(default_dtype(in(Dtype::kBf16), [](Dtype d) { return d == Dtype::kF32; }), Dtype::kF32);
  EXPECT_EQ(default_dtype(in(Dtype::kBf16), [](Dtype) { return false; }), Dtype::kBf16);
}

}  // namespace
}  // namespace ridge
