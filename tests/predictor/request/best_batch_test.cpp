#include "predictor/request/best_batch.h"

#include <gmock/gmock.h>

namespace ridge {
namespace {

using ::testing::ElementsAre;

int64_t sequences(const Request& r) {
  int64_t n = 0;
  for (const Prompt& p : r.prompts) n += p.count;
  return n;
}

// A step takes 10 ms however many sequences it has, up to 64 of them; then each adds its share, or
// `part` of it.
RequestPrediction saturating(const Request& r, double part) {
  const auto n = static_cast<double>(sequences(r));
  const auto out = static_cast<double>(r.output);
  const double tpot = 0.01 * std::max(1.0, 1 - part + part * n / 64), ttft = 0.002 * n;
  const double total = ttft + (out - 1) * tpot;
  return {.ttft_s = {.value = ttft},
          .tpot_s = {.value = out > 1 ? tpot : 0},
          .total_s = {.value = total},
          .output_tokens_per_s = n * out / total};
}

struct Fake {
  int64_t room = 200;
  double part = 1;
  int predicted = 0;

  BatchCurve curve(const Request& one, const Limits& limits = {}) {
    return batch_curve({.predict =
                            [this](const Request& r) {
                              ++predicted;
                              return saturating(r, part);
                            },
                        .fits = [this](const Request& r) { return sequences(r) <= room; }},
                       one, limits);
  }
};

std::vector<int64_t> batches(const BatchCurve& c) {
  std::vector<int64_t> list;
  for (const BatchPoint& p : c.points) list.push_back(p.batch);
  return list;
}

const Request kOne{.prompts = {{.tokens = 100}}, .output = 1000};

TEST(BestBatch, PowersOfTwoAndTheLargestThatFits) {
  EXPECT_THAT(batches(Fake{.room = 200}.curve(kOne)),
              ElementsAre(1, 2, 4, 8, 16, 32, 64, 128, 200));
  EXPECT_THAT(batches(Fake{.room = 64}.curve(kOne)), ElementsAre(1, 2, 4, 8, 16, 32, 64));
  EXPECT_THAT(batches(Fake{.room = 1}.curve(kOne)), ElementsAre(1));
  EXPECT_EQ(Fake{.room = 1 << 30}.curve(kOne).points.back().batch, kMostBatch);
}

TEST(BestBatch, WhereNothingFitsTheRequestIsShownAndNothingIsBest) {
  const BatchCurve c = Fake{.room = 0}.curve(kOne);
  ASSERT_THAT(batches(c), ElementsAre(1));
  EXPECT_FALSE(c.points[0].fits);
  EXPECT_FALSE(c.best);
  EXPECT_FALSE(c.knee);
}

TEST(BestBatch, TheKneeIsWhereTheStepGrows) {
  const BatchCurve c = Fake{.room = 1024}.curve(kOne);
  ASSERT_TRUE(c.knee);
  EXPECT_EQ(c.points[*c.knee].batch, 64);
}

TEST(BestBatch, AStraightLineHasNoKnee) {
  const BatchSource linear{.predict =
                               [](const Request& r) {
                                 const auto n = static_cast<double>(sequences(r));
                                 return RequestPrediction{.tpot_s = {.value = n},
                                                          .output_tokens_per_s = 3 * n};
                               },
                           .fits = [](const Request& r) { return sequences(r) <= 100; }};
  EXPECT_FALSE(batch_curve(linear, kOne, {}).knee);
}

TEST(BestBatch, WithoutLimitsTheMostTokensAreBest) {
  const BatchCurve c = Fake{.room = 200}.curve(kOne);
  ASSERT_TRUE(c.best);
  for (const BatchPoint& p : c.points)
    EXPECT_LE(p.prediction.output_tokens_per_s, c.points[*c.best].prediction.output_tokens_per_s);
}

TEST(BestBatch, TheLimitIsMetToTheSequence) {
  // 0.002 · n within 0.1 s: 50. 0.01 · (1/2 + n/128) within 14.9 ms: 126.
  for (const auto& [limits, batch] :
       {std::pair{Limits{.ttft_s = 0.1}, 50}, std::pair{Limits{.tpot_s = 0.0149}, 126},
        std::pair{Limits{.ttft_s = 0.1, .tpot_s = 0.0149}, 50}}) {
    const BatchCurve c = Fake{.room = 1000, .part = 0.5}.curve(kOne, limits);
    ASSERT_TRUE(c.best);
    EXPECT_EQ(c.points[*c.best].batch, batch);
    const auto all = batches(c);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    EXPECT_TRUE(limits.hold(c.points[*c.best].prediction));
  }
}

TEST(BestBatch, AloneBeyondTheLimitIsNotBest) {
  const BatchCurve c = Fake{}.curve(kOne, {.ttft_s = 0.001});
  EXPECT_FALSE(c.best);
  EXPECT_EQ(c.points.size(), 9u);
}

TEST(BestBatch, AMixKeepsItsProportions) {
  Request mix = kOne;
  mix.prompts = {{.count = 2, .tokens = 10}, {.count = 1, .tokens = 1000}};
  const BatchCurve c = Fake{.room = 20}.curve(mix);
  EXPECT_THAT(batches(c), ElementsAre(3, 6, 12, 18));
  EXPECT_EQ(batch_of(mix, 4).prompts[0].count, 8);
  EXPECT_EQ(batch_of(mix, 4).prompts[1].count, 4);
}

TEST(BestBatch, OneTokenOutIsJudgedByItsTotal) {
  Request one = kOne;
  one.output = 1;
  const BatchCurve c = Fake{.room = 64}.curve(one);
  EXPECT_EQ(c.points.size(), 7u);
  EXPECT_FALSE(c.knee);  // every sequence takes as long as the first
}

TEST(BestBatch, FewPredictionsAreMade) {
  Fake fake{.room = 1000};
  fake.curve(kOne, {.tpot_s = 0.02});
  EXPECT_LE(fake.predicted, 20);
}

}  // namespace
}  // namespace ridge
