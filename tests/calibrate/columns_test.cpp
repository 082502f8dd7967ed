// Columns: what the layers of a model set, and how far a call is from those that were measured.
#include "calibrate/columns.h"

#include <gmock/gmock.h>

#include "calibrate/physics_features.h"
#include "kernels/core/operators.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> layer_names(const std::string& op) {
  const OpSpec& spec = find_operator(op);
  std::vector<std::string> names;
  for (const std::size_t a : layer_axes(spec)) names.push_back(spec.axes[a].name);
  return names;
}

TEST(Columns, AreToldByWhatTheLayersSet) {
  EXPECT_THAT(layer_names("gemm"), ElementsAre("n", "k"));
  EXPECT_THAT(layer_names("attention_decode"), ElementsAre("heads", "kv_heads", "head_dim"));
  EXPECT_THAT(layer_names("attention_prefill"), ElementsAre("heads", "kv_heads", "head_dim"));
  EXPECT_THAT(layer_names("rmsnorm"), ElementsAre("cols"));
  EXPECT_THAT(layer_names("conv2d"), ElementsAre("c", "k", "r", "s", "stride", "pad", "groups"));
  for (const OpSpec& spec : operators()) {
    if (spec.probe) continue;
    EXPECT_FALSE(layer_axes(spec).empty()) << spec.name;
    EXPECT_LT(layer_axes(spec).size(), spec.axes.size()) << spec.name;
  }
}

TEST(Columns, AreDoublingsApart) {
  const ColumnDistance from(find_operator("gemm"), {{1024, 1024}, {4096, 512}});
  EXPECT_EQ(from.of({1024, 1024}), 0);
  EXPECT_NEAR(from.of({2048, 1024}), 1, 1e-5);
  EXPECT_NEAR(from.of({4096, 1024}), 1, 1e-5);
  EXPECT_NEAR(from.of({512, 256}), std::sqrt(5), 1e-5);
}

TEST(Columns, DistanceOfAFeatureBlockIsThatOfItsCalls) {
  const OpSpec& spec = find_operator("gemm");
  const PhysicsFeatures features(spec, Dtype::kF32, fixture::ceilings(), 16, 4e6);
  const ColumnDistance from(spec, {{1000, 3000}, {777, 50}});
  std::vector<float> one(features.size()), block(features.size() * kBlock);
  const int64_t k[] = {3000, 50, 100, 6000, 25, 3, 7, 12000};
  for (std::size_t b = 0; b < kBlock; ++b) {
    features(fixture::gemm(1, b % 2 ? 777 : 1000, k[b]), one);
    for (std::size_t j = 0; j < one.size(); ++j) block[j * kBlock + b] = one[j];
  }
  float apart[kBlock];
  from.at(block.data(), apart);
  EXPECT_EQ(apart[0], 0);
  EXPECT_EQ(apart[1], 0);
  for (std::size_t b = 0; b < kBlock; ++b)
    EXPECT_NEAR(apart[b], from.of({b % 2 ? 777 : 1000, k[b]}), 1e-5);
}

// A grid of 6 × 6 columns, each of which has a delay of its own: more like that of near columns than
// of far ones, but with nothing that a feature tells.
double own_delay(int64_t n, int64_t k) {
  const auto log = [](int64_t x) { return std::log2(static_cast<double>(x)); };
  return 1 + 0.2 * std::sin(2.6 * log(n) + 1) * std::sin(2.1 * log(k));
}
double law_s(const Call& c) { return fixture::law_s(c) * own_delay(c.dims[1], c.dims[2]); }

const DelayTable& gridded() {
  static const DelayTable t = [] {
    std::vector<Measurement> all;
    for (int64_t n = 256; n <= 8192; n *= 2)
      for (int64_t k = 256; k <= 8192; k *= 2)
        for (int64_t m = 1; m <= 2048; m *= 2) {
          const Call c = fixture::gemm(m, n, k);
          all.push_back(fixture::timed(c, {law_s(c)}));
        }
    return make_table(fixture::device(), fixture::ceilings(), all, {});
  }();
  return t;
}

TEST(Columns, IntervalsAreWiderWhereNothingOfAColumnWasMeasured) {
  ASSERT_EQ(gridded().curves.size(), 1U);
  const Curve& c = gridded().curves[0];
  EXPECT_EQ(c.columns.size(), 2U * 36);
  EXPECT_GT(c.away * (Curve::kNextColumn + 0.5), 1.5 * c.interval);
  const auto width = [&](const Call& call) {
    const Prediction p = predict_call(gridded(), call);
    return std::log(p.high_s / p.low_s);
  };
  EXPECT_GT(width(fixture::gemm(96, 1448, 1024)), 1.5 * width(fixture::gemm(96, 1024, 1024)));
}

TEST(Columns, IntervalsHoldMostCallsOfNewColumns) {
  std::mt19937_64 rng(4);
  int inside = 0, all = 0;
  for (int i = 0; i < 400; ++i) {
    const int64_t n = fixture::log_uniform(rng, 300, 8000),
                  k = fixture::log_uniform(rng, 300, 8000);
    const Call c = fixture::gemm(fixture::log_uniform(rng, 1, 2048), n, k);
    const Prediction p = predict_call(gridded(), c);
    inside += p.low_s <= law_s(c) && law_s(c) <= p.high_s;
    ++all;
  }
  EXPECT_GT(inside, 0.70 * all);
  EXPECT_LT(inside, 0.95 * all);
}

TEST(Columns, ScatteredCallsHaveNoneApart) {
  const DelayTable t = fixture::table(100);
  for (const Curve& c : t.curves) {
    EXPECT_EQ(c.away, 0) << c.op;
    EXPECT_THAT(c.columns, IsEmpty()) << c.op;
  }
}

}  // namespace
}  // namespace ridge
