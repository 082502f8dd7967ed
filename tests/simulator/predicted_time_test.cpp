// Interpolated step times against predict_step().
#include "simulator/time/predicted_time.h"

#include <gtest/gtest.h>

#include <cmath>

#include "predictor/request/default_dtype.h"
#include "simulator/workload/random.h"
#include "tests/predictor/request/made_up.h"

namespace ridge::sim {
namespace {

TEST(Grid, HasItsNumbersInOrderAndFindsThem) {
  for (const int bits : {2, 3, 5}) {
    const Grid g{bits};
    for (int64_t x = 0; x < 5000; ++x) {
      EXPECT_LE(g.value(g.index(x)), x);
      EXPECT_GT(g.value(g.index(x) + 1), x);
      if (x < (2 << bits)) {
        EXPECT_EQ(g.value(g.index(x)), x);
      }
    }
  }
}

struct Error {
  double mean = 0, most = 0;
};

// Of random steps: some decodes of like contexts, and some parts of prompts.
Error errors(const TableSet& tables, const Deployment& d, int steps, double prefill_share) {
  Random random(17);
  PredictedTime time(tables, d);
  Error e;
  for (int i = 0; i < steps; ++i) {
    StepLoad load;
    Step step;
    const int64_t context = random.between(1, 4000);
    load.decodes = load.samples = random.between(1, 200);
    load.decode_context = context * load.decodes;
    step.push_back({.count = load.decodes, .past = context});
    if (random.uniform() < prefill_share) {
      const PrefillPart p{random.between(2, 2000), random.between(0, 1) * random.between(1, 3000)};
      load.prefills.push_back(p);
      ++load.samples;
      step.push_back({.tokens = p.tokens, .past = p.past});
    }
    const double ratio = time.cost(load).seconds / predict_step(tables, d, step).seconds.value;
    e.mean += std::abs(ratio - 1) / steps;
    e.most = std::max(e.most, std::abs(ratio - 1));
  }
  return e;
}

TEST(PredictedTime, IsThatOfTheStepWithinOnePercentOnAverage) {
  const TableSet tables = shipped_tables("h100");
  Deployment d{.model = find_model("llama-3.1-8b"), .engine = find_engine("kernels")};
  const Error decode = errors(tables, d, 150, 0), mixed = errors(tables, d, 150, 1);
  RecordProperty("decode_mean", std::to_string(decode.mean));
  RecordProperty("mixed_mean", std::to_string(mixed.mean));
  EXPECT_LT(decode.mean, 0.01);
  EXPECT_LT(decode.most, 0.06);
  EXPECT_LT(mixed.mean, 0.01);
  EXPECT_LT(mixed.most, 0.06);
}

TEST(PredictedTime, OfTensorParallelismAndAnEnginesCostOfDecode) {
  const TableSet tables = shipped_tables("h100", "vllm");
  Deployment d{.model = find_model("llama-3.1-70b"),
               .parallel = {.tensor = 4},
               .engine = find_engine("vllm")};
  EXPECT_LT(errors(tables, d, 60, 0).mean, 0.005);
}

// Where kernels are launches and rooflines alone, nothing is lost between the points but rounding.
TEST(PredictedTime, IsExactOnItsPoints) {
  const TableSet tables = made_up::tables();
  const Deployment d = made_up::deployment();
  PredictedTime time(tables, d);
  for (const int64_t decodes : {1, 2, 7, 16, 24, 64})
    for (const int64_t context : {1, 5, 12, 128, 1024}) {
      const StepLoad load{
          .decodes = decodes, .decode_context = decodes * context, .samples = decodes};
      const double asked =
          predict_step(tables, d, {{.count = decodes, .past = context}}).seconds.value;
      EXPECT_NEAR(time.cost(load).seconds / asked, 1, 1e-12) << decodes << " of " << context;
    }
}

// Contexts of a batch count as their mean: of a line, nothing else matters.
TEST(PredictedTime, TakesTheMeanOfContexts) {
  const TableSet tables = shipped_tables("h100");
  const Deployment d{.model = find_model("llama-3.1-8b"), .engine = find_engine("kernels")};
  PredictedTime time(tables, d);
  Random random(4);
  for (int i = 0; i < 20; ++i) {
    Step step;
    StepLoad load;
    for (int k = 0; k < 8; ++k) {
      const Sequences s{.count = random.between(1, 12), .past = random.between(1, 4000)};
      step.push_back(s);
      load.decodes += s.count;
      load.decode_context += s.count * s.past;
    }
    load.samples = load.decodes;
    EXPECT_NEAR(time.cost(load).seconds / predict_step(tables, d, step).seconds.value, 1, 0.02);
  }
}

TEST(PredictedTime, OfMoreIsNotLess) {
  const TableSet tables = made_up::tables();
  PredictedTime time(tables, made_up::deployment());
  double before = 0;
  for (int64_t tokens = 1; tokens < 3000; tokens += 37) {
    const double s = time.cost({.samples = 1, .prefills = {{tokens, 0}}}).seconds;
    EXPECT_GE(s, before * (1 - 1e-12));
    before = s;
  }
}

// Stages of a pipeline work beside each other: with enough micro-batches p stages take little more
// than one GPU's time over p.
TEST(PredictedTime, OfAPipelineInSteadyState) {
  const TableSet tables = made_up::tables({.launch_s = 0});
  Deployment one = made_up::deployment(), two = one;
  two.parallel.pipeline = 2;
  PredictedTime alone(tables, one), shared(tables, two);
  const StepLoad load{.samples = 4, .prefills = {{2000, 0}, {2000, 0}, {2000, 0}, {2000, 0}}};
  const double ratio = alone.cost(load).seconds / shared.cost(load).seconds;
  EXPECT_GT(ratio, 1.0);
  EXPECT_LT(ratio, 2.0);
}

}  // namespace
}  // namespace ridge::sim
