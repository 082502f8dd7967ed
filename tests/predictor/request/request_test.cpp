// What a request takes, against what can be told by hand of a made-up device.
#include "predictor/request/request.h"

#include <gmock/gmock.h>

#include "kernels/core/error.h"
#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

using made_up::deployment;
using made_up::kKernels;
using made_up::request;
using made_up::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kSame = 1e-9;  // of sums taken in another order

Step decode_of(int64_t past, int64_t count = 1) {
  return {{.count = count, .tokens = 1, .past = past}};
}

void expect_near(double value, double expected) { EXPECT_NEAR(value, expected, kSame * expected); }

TEST(Request, WhereOnlyLaunchesCostTheyAreCounted) {
  const TableSet t = made_up::tables(made_up::kLaunchesOnly);
  const RequestPrediction p = predict_request(t, deployment(), request(3, 100, 11));
  expect_near(p.ttft_s.value, kKernels * 1e-6);
  for (const Estimate& e : {p.tpot_s, p.tpot_first_s, p.tpot_last_s})
    expect_near(e.value, kKernels * 1e-6);
  expect_near(p.itl_p99_s, kKernels * 1e-6);
  expect_near(p.total_s.value, 11 * kKernels * 1e-6);
  expect_near(p.output_tokens_per_s, 33 / (11 * kKernels * 1e-6));
  expect_near(p.output_tokens_per_s_user, 1 / (kKernels * 1e-6));
  expect_near(p.decode.bound_s.at("launch"), kKernels * 1e-6);
}

// Every byte of the weights but the embedding's is read once, and once the keys and values.
TEST(Request, WhereOnlyMemoryCostsADecodeStepReadsTheWeightsAndTheCache) {
  const TableSet t =
      made_up::tables({.flops_per_s = 1e300, .bytes_per_s = 1e12, .launch_s = 1e-30});
  const Deployment d = deployment();
  const auto decode = [&](int64_t input) {
    return predict_request(t, d, request(1, input, 2)).tpot_s.value;
  };
  const double embedding = 2.0 * 256 * 1000;
  const double weights = weight_bytes(d.model, d.parallel, d.precision) - embedding;
  EXPECT_GT(decode(1), weights / 1e12);
  EXPECT_LT(decode(1), 1.05 * weights / 1e12);
  expect_near(decode(3001) - decode(1), 3000 * 4 * 2 * 2 * 64 * 2 / 1e12);
}

TEST(Request, TtftIsTheSumOfThePrefillsKernelsAndTpotOfTheDecodes) {
  const TableSet t = made_up::tables({}, {{"gemm", 1.7}, {"rmsnorm", 3}});
  const Deployment d = deployment();
  for (const int64_t batch : {1, 5, 64}) {
    const RequestPrediction p = predict_request(t, d, request(batch, 300, 2));
    expect_near(p.ttft_s.value, seconds(t, d, {{.count = batch, .tokens = 300}}));
    expect_near(p.tpot_s.value, seconds(t, d, decode_of(300, batch)));
    expect_near(predict_step(t, d, decode_of(300, batch)).seconds.value, p.tpot_s.value);
    expect_near(predict_step(t, d, {{.count = batch, .tokens = 300}}).seconds.value,
                p.ttft_s.value);
  }
}

// Attention of the made-up device grows in a line, so that lines between contexts are exact.
TEST(Request, TpotIsTheMeanOfAllSteps) {
  const TableSet t = made_up::tables({.bytes_per_s = 1e10});
  const Deployment d = deployment();
  for (const int64_t output : {2, 3, 4, 10, 11, 100, 400}) {
    double sum = 0;
    for (int64_t i = 0; i + 1 < output; ++i) sum += seconds(t, d, decode_of(50 + i, 2));
    const RequestPrediction p = predict_request(t, d, request(2, 50, output));
    expect_near(p.tpot_s.value, sum / static_cast<double>(output - 1));
    expect_near(p.total_s.value, p.ttft_s.value + sum);
    expect_near(p.tpot_first_s.value, seconds(t, d, decode_of(50, 2)));
    expect_near(p.tpot_last_s.value, seconds(t, d, decode_of(50 + output - 2, 2)));
  }
}

TEST(Request, ADecodeStepGrowsWithItsContext) {
  const TableSet t = made_up::tables({.bytes_per_s = 1e10});
  const RequestPrediction p = predict_request(t, deployment(), request(4, 10, 2000));
  EXPECT_LT(p.tpot_first_s.value, p.itl_p50_s);
  EXPECT_LT(p.itl_p50_s, p.itl_p95_s);
  EXPECT_LT(p.itl_p95_s, p.itl_p99_s);
  EXPECT_LT(p.itl_p99_s, p.tpot_last_s.value);
  const double first = p.tpot_first_s.value, last = p.tpot_last_s.value;
  expect_near(p.itl_p50_s, (first + last) / 2);
  expect_near(p.itl_p95_s, first + 0.95 * (last - first));
}

TEST(Request, OneTokenOutHasNoDecode) {
  const RequestPrediction p = predict_request(made_up::tables(), deployment(), request(2, 10, 1));
  EXPECT_EQ(p.tpot_s.value, 0);
  EXPECT_EQ(p.output_tokens_per_s_user, 0);
  EXPECT_EQ(p.total_s.value, p.ttft_s.value);
  EXPECT_TRUE(p.decode.roles.empty());
}

TEST(Request, AMixOfEqualLengthsIsUniform) {
  const TableSet t = made_up::tables();
  Request mix = request(2, 100, 40);
  mix.prompts.push_back({.count = 3, .tokens = 100});
  const RequestPrediction a = predict_request(t, deployment(), mix);
  const RequestPrediction b = predict_request(t, deployment(), request(5, 100, 40));
  expect_near(a.ttft_s.value, b.ttft_s.value);
  expect_near(a.tpot_s.value, b.tpot_s.value);
  expect_near(a.total_s.high, b.total_s.high);
  EXPECT_EQ(a.output_tokens_per_s, b.output_tokens_per_s);
}

TEST(Request, AMixLiesBetweenItsLengths) {
  const TableSet t = made_up::tables({.bytes_per_s = 1e10});
  Request mix = request(2, 100, 40);
  mix.prompts.push_back({.count = 2, .tokens = 900});
  const auto total = [&](const Request& r) {
    return predict_request(t, deployment(), r).total_s.value;
  };
  EXPECT_GT(total(mix), total(request(4, 100, 40)));
  EXPECT_LT(total(mix), total(request(4, 900, 40)));
}

TEST(Request, TimeGrowsWithBatchInputAndOutput) {
  const TableSet t = made_up::tables({}, {{"gemm", 1.4}});
  const auto at = [&](int64_t batch, int64_t input, int64_t output) {
    return predict_request(t, deployment(), request(batch, input, output));
  };
  RequestPrediction before = at(1, 64, 16);
  for (const int64_t n : {2, 3, 7, 8, 33, 128}) {
    const RequestPrediction p = at(n, 64, 16);
    EXPECT_GT(p.ttft_s.value, before.ttft_s.value) << n;
    EXPECT_GE(p.tpot_s.value, before.tpot_s.value) << n;
    EXPECT_GT(p.output_tokens_per_s, before.output_tokens_per_s) << n;
    before = p;
  }
  before = at(4, 1, 16);
  for (const int64_t n : {2, 50, 51, 1000, 8000}) {
    const RequestPrediction p = at(4, n, 16);
    EXPECT_GT(p.ttft_s.value, before.ttft_s.value) << n;
    EXPECT_GE(p.tpot_s.value, before.tpot_s.value) << n;
    before = p;
  }
  before = at(4, 64, 1);
  for (const int64_t n : {2, 3, 10, 64, 65, 1000}) {
    const RequestPrediction p = at(4, 64, n);
    EXPECT_EQ(p.ttft_s.value, before.ttft_s.value) << n;
    EXPECT_GT(p.total_s.value, before.total_s.value) << n;
    EXPECT_GE(p.tpot_last_s.value, before.tpot_last_s.value) << n;
    before = p;
  }
}

TEST(Request, AnOperatorsFactorActsOnItsTimeAlone) {
  TableSet t = made_up::tables({}, {{"gemm", 1.5}});
  const auto gemms = [](const Phase& p) {
    double sum = 0;
    for (const RoleTime& r : p.roles)
      if (r.op == "gemm") sum += r.seconds;
    return sum;
  };
  const RequestPrediction one = predict_request(t, deployment(), request(4, 512, 20));
  t.fine_tune("Linear_GEMM", 3);
  const RequestPrediction tuned = predict_request(t, deployment(), request(4, 512, 20));
  expect_near(tuned.ttft_s.value, one.ttft_s.value + 2 * gemms(one.prefill));
  expect_near(tuned.tpot_s.value, one.tpot_s.value + 2 * gemms(one.decode));
}

TEST(Request, RolesAndBoundsAddUpToThePhase) {
  Deployment d = deployment();
  d.engine.times.decode = {.per_step_s = 3e-6, .per_sequence_s = 1e-6};
  const RequestPrediction p =
      predict_request(made_up::tables({}, {{"gemm", 2}}), d, request(4, 512, 20));
  for (const Phase* phase : {&p.prefill, &p.decode}) {
    double roles = phase->host_s, bounds = 0, flops = 0, bytes = 0;
    for (const RoleTime& r : phase->roles) roles += r.seconds, flops += r.flops, bytes += r.bytes;
    for (const auto& [bound, s] : phase->bound_s) bounds += s;
    expect_near(roles, phase->seconds.value);
    expect_near(bounds, phase->seconds.value);
    expect_near(flops, phase->flops);
    expect_near(bytes, phase->bytes);
    EXPECT_GT(phase->mfu, 0);
    EXPECT_LT(phase->mfu, 1);
    EXPECT_GT(phase->bandwidth_utilisation, 0);
    EXPECT_LT(phase->bandwidth_utilisation, 1);
  }
}

TEST(Request, MfuIsOfThePipeThatAProductRunsOn) {
  // Products take exactly as long as their pipe's peak allows; nothing else costs anything.
  const TableSet t = made_up::tables({.bytes_per_s = 1e300, .launch_s = 1e-30});
  const Deployment d = deployment();
  const Phase p = predict_request(t, d, request(8, 512, 1)).prefill;
  double matrix = 0;
  for (const RoleTime& r : p.roles)
    if (r.op == "gemm" || r.op == "attention_prefill") matrix += r.flops;
  expect_near(p.mfu, matrix / 1e13 / p.seconds.value);
  EXPECT_GT(p.mfu, 0.9);
}

TEST(Request, IntervalsHoldTheirValues) {
  for (const auto& known : {std::vector<made_up::Known>{}, {{"gemm", 1.5, 0.2}}}) {
    const RequestPrediction p =
        predict_request(made_up::tables({}, known), deployment(), request(4, 500, 30));
    for (const Estimate& e : {p.ttft_s, p.tpot_s, p.tpot_first_s, p.tpot_last_s, p.total_s,
                              p.prefill.seconds, p.decode.seconds}) {
      EXPECT_LE(e.low, e.value);
      EXPECT_LT(e.value, e.high);
      EXPECT_GT(e.low, 0);
    }
  }
}

// One role's kernels err alike; those of two roles by half, which price_steps.h tells.
TEST(Request, ErrorsOfRolesAddByTheirCorrelation) {
  const double part = std::exp(0.2) - 1, rest = 1 - std::exp(-0.2);
  const RequestPrediction p = predict_request(
      made_up::tables({.launch_s = 1e-30}, {{"gemm", 2, 0.2}}), deployment(), request(64, 500, 1));
  double sum = 0, squares = 0, others = 0,
         other_squares = 0;  // of gemms; the rest is up to 3 times
  for (const RoleTime& r : p.prefill.roles) {
    (r.op == "gemm" ? sum : others) += r.seconds;
    (r.op == "gemm" ? squares : other_squares) += r.seconds * r.seconds;
  }
  const double up = part * sum + (kUnknownDelay - 1) * others;
  const double up2 = part * part * squares + std::pow(kUnknownDelay - 1, 2) * other_squares;
  const double above = std::sqrt(0.5 * up * up + 0.5 * up2);
  const double below = rest * std::sqrt(0.5 * sum * sum + 0.5 * squares);
  EXPECT_NEAR(p.ttft_s.high - p.ttft_s.value, above, 1e-6 * above);
  EXPECT_NEAR(p.ttft_s.value - p.ttft_s.low, below, 1e-6 * below);
}

TEST(Request, WhatIsNoMeasurementIsSaidOnce) {
  const RequestPrediction p =
      predict_request(made_up::tables({}, {{"gemm"}, {"attention_decode"}, {"attention_prefill"}}),
                      deployment(), request(1, 10, 5));
  EXPECT_THAT(p.notes, ElementsAre("estimated by the roofline, not measured: "
                                   "embedding, add_rmsnorm, rmsnorm, rope, silu_mul, argmax"));
}

std::string error_of(const Request& r, const Deployment& d = deployment()) {
  try {
    predict_request(made_up::tables(), d, r);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

TEST(Request, BadOnesAreRefused) {
  Request r = request(1, 10, 1);
  r.prompts.clear();
  EXPECT_THAT(error_of(r), HasSubstr("no prompts"));
  EXPECT_THAT(error_of(request(0, 10, 1)), HasSubstr("batch=0"));
  EXPECT_THAT(error_of(request(-4, 10, 1)), HasSubstr("batch=-4"));
  EXPECT_THAT(error_of(request(1, 0, 1)), HasSubstr("input=0"));
  EXPECT_THAT(error_of(request(1, 10, 0)), HasSubstr("output=0"));
  r = request(1, 10, 1);
  r.prompts[0].cached = 10;
  EXPECT_THAT(error_of(r), HasSubstr("cached=10"));
  r = request(1, 10, 1);
  r.chunk = -1;
  EXPECT_THAT(error_of(r), HasSubstr("chunk=-1"));
  r = request(1, 10, 1);
  r.speculation = Speculation{.draft = made_up::draft_model(), .acceptance = std::nan("")};
  EXPECT_THAT(error_of(r), HasSubstr("acceptance"));
  r.speculation->acceptance = 1.01;
  EXPECT_THAT(error_of(r), HasSubstr("acceptance"));
  r.speculation = Speculation{.draft = made_up::draft_model(), .tokens = 0};
  EXPECT_THAT(error_of(r), HasSubstr("at least 1 token"));
}

TEST(Request, QuantisedProductsNeedAPipe) {
  Deployment d = deployment();
  d.precision.weights = WeightFormat::kFp8;  // the made-up device has f16 and f32
  EXPECT_THAT(error_of(request(1, 8, 2), d), HasSubstr("no fp8 matrix products; --weight-only"));
  d.precision.quantised_activations = false;
  EXPECT_GT(predict_request(made_up::tables(), d, request(1, 8, 2)).ttft_s.value, 0);
}

TEST(Request, AContextBeyondTheModelsIsRefused) {
  EXPECT_EQ(error_of(request(1, 8192, 1)), "no BadInput");
  EXPECT_EQ(error_of(request(1, 8092, 101)), "no BadInput");  // the last token is not fed back
  EXPECT_THAT(error_of(request(1, 8092, 102)), HasSubstr("8193 tokens is beyond the model's 8192"));
  EXPECT_THAT(error_of(request(1, 8193, 1)), HasSubstr("made-up-5m"));
  EXPECT_THAT(error_of(request(1, 1, int64_t{1} << 62)), HasSubstr("beyond"));
}

}  // namespace
}  // namespace ridge
