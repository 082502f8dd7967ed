// What a request's options do to it: chunks, prefix hits, speculation, the host, several GPUs.
#include <gmock/gmock.h>

#include "kernels/core/error.h"
#include "predictor/request/request.h"
#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

using made_up::deployment;
using made_up::request;
using made_up::seconds;
using made_up::work;

constexpr double kSame = 1e-9;

void expect_near(double value, double expected) { EXPECT_NEAR(value, expected, kSame * expected); }

RequestPrediction predict(const Request& r, const Deployment& d = deployment()) {
  return predict_request(made_up::tables(), d, r);
}

Request chunked(Request r, int64_t chunk) {
  r.chunk = chunk;
  return r;
}

TEST(Chunks, CoverTheSameWork) {
  Request mix = request(2, 333, 2);
  mix.prompts.push_back({.count = 3, .tokens = 100});
  mix.prompts.push_back({.count = 1, .tokens = 700, .cached = 50});
  const Phase whole = predict(mix).prefill;
  const double attention = work(whole, Role::kPrefillAttention);
  for (const int64_t chunk : {3, 7, 64, 100, 333, 1000, 1615}) {
    const Phase p = predict(chunked(mix, chunk)).prefill;
    // A part of one token is a decode of its own.
    expect_near(work(p, Role::kPrefillAttention) + work(p, Role::kDecodeAttention), attention);
    for (const Role role : {Role::kQkv, Role::kGateUp, Role::kDown, Role::kLmHead})
      expect_near(work(p, role), work(whole, role));
    EXPECT_GT(p.seconds.value, whole.seconds.value) << chunk;
  }
}

TEST(Chunks, AsLargeAsThePromptsAreNone) {
  for (const int64_t chunk : {400, 401, 100000})
    EXPECT_EQ(predict(chunked(request(4, 100, 2), chunk)).ttft_s.value,
              predict(request(4, 100, 2)).ttft_s.value);
}

TEST(Chunks, AreSteps) {
  const TableSet t = made_up::tables();
  const Deployment d = deployment();
  const double first = seconds(t, d, {{.tokens = 60, .past = 0, .samples = false}});
  const double second = seconds(t, d, {{.tokens = 40, .past = 60}});
  expect_near(predict(chunked(request(1, 100, 1), 60)).ttft_s.value, first + second);
  // Two prompts: 100, then the 20 of the first that are left and 80 of the second, then its 40.
  const double mixed =
      seconds(t, d, {{.tokens = 100, .past = 0, .samples = false}}) +
      seconds(t, d, {{.tokens = 20, .past = 100}, {.tokens = 80, .past = 0, .samples = false}}) +
      seconds(t, d, {{.tokens = 40, .past = 80}});
  expect_near(predict(chunked(request(2, 120, 1), 100)).ttft_s.value, mixed);
}

TEST(Chunks, AreTheEnginesWhereTheRequestHasNone) {
  Deployment d = deployment();
  d.engine.step_tokens = 60;
  EXPECT_EQ(predict(request(1, 100, 1), d).ttft_s.value,
            predict(chunked(request(1, 100, 1), 60)).ttft_s.value);
  EXPECT_EQ(predict(chunked(request(1, 100, 1), 50), d).ttft_s.value,
            predict(chunked(request(1, 100, 1), 50)).ttft_s.value);
}

TEST(PrefixHit, SavesPrefillAndNothingElse) {
  Request r = request(4, 2000, 50);
  RequestPrediction before = predict(r);
  for (const int64_t cached : {1, 100, 1000, 1999}) {
    r.prompts[0].cached = cached;
    const RequestPrediction p = predict(r);
    EXPECT_LT(p.ttft_s.value, before.ttft_s.value) << cached;
    EXPECT_EQ(p.tpot_s.value, before.tpot_s.value) << cached;
    before = p;
  }
  expect_near(before.ttft_s.value,
              seconds(made_up::tables(), deployment(), {{.count = 4, .tokens = 1, .past = 1999}}));
}

Request speculating(int64_t output, int64_t tokens, double acceptance) {
  Request r = request(2, 100, output);
  r.speculation =
      Speculation{.draft = made_up::draft_model(), .tokens = tokens, .acceptance = acceptance};
  return r;
}

TEST(Speculation, AStepYieldsTheClosedFormsTokens) {
  const TableSet t = made_up::tables();
  const Deployment d = deployment(), small = deployment(made_up::draft_model());
  for (const int64_t k : {1, 4, 7})
    for (const double a : {0.0, 0.3, 0.8, 1.0}) {
      double tokens = 0;  // 1 + a + a² + … + a^k
      for (int64_t i = 0; i <= k; ++i) tokens += std::pow(a, static_cast<double>(i));
      const double verify =
          seconds(t, d, {{.count = 2, .tokens = k + 1, .past = 100, .samples_all = true}});
      const double draft = seconds(t, small, {{.count = 2, .tokens = 1, .past = 100}});
      const RequestPrediction p = predict(speculating(2, k, a));
      const double step = verify + static_cast<double>(k) * draft;
      expect_near(p.tpot_s.value, step / tokens);
      expect_near(p.itl_p50_s, step);
      expect_near(p.decode.seconds.value, step);
      expect_near(p.ttft_s.value, seconds(t, d, {{.count = 2, .tokens = 100}}) +
                                      seconds(t, small, {{.count = 2, .tokens = 100}}));
    }
}

TEST(Speculation, WorkTimesAndBoundsHoldTheDraftsPart) {
  const RequestPrediction p = predict(speculating(20, 4, 0.8));
  double bounds = 0, roles = 0;
  for (const auto& [bound, s] : p.decode.bound_s) bounds += s;
  for (const RoleTime& r : p.decode.roles) roles += r.flops;
  expect_near(bounds, p.decode.seconds.value);
  EXPECT_GT(p.decode.flops, roles);
  EXPECT_LT(p.decode.mfu, 1);
}

TEST(Speculation, PaysWhenTokensAreTaken) {
  EXPECT_LT(predict(speculating(50, 4, 0.9)).tpot_s.value,
            predict(request(2, 100, 50)).tpot_s.value);
  EXPECT_GT(predict(speculating(50, 4, 0.0)).tpot_s.value,
            predict(request(2, 100, 50)).tpot_s.value);
}

TEST(Speculation, ProposesNothingBeyondTheModelsContext) {
  Request r = speculating(93, 4, 0.8);
  r.prompts[0].tokens = 8100;
  EXPECT_GT(predict(r).tpot_s.value, 0);
  r.output = 94;
  EXPECT_THROW(predict(r), BadInput);
}

TEST(Host, CostsAddExactly) {
  const Request r = chunked(request(5, 100, 21), 200);
  const RequestPrediction alone = predict(r);
  Deployment d = deployment();
  d.engine.times.prefill = {.per_step_s = 1e-3, .per_sequence_s = 2e-5};
  d.engine.times.decode = {.per_step_s = 3e-4, .per_sequence_s = 1e-5};
  d.engine.times.per_request_s = 7e-4;
  const RequestPrediction p = predict(r, d);
  // Three steps, of 2, 2 and 1 sequences.
  expect_near(p.ttft_s.value - alone.ttft_s.value, 3 * 1e-3 + 5 * 2e-5 + 5 * 7e-4);
  expect_near(p.prefill.bound_s.at("host"), 3 * 1e-3 + 5 * 2e-5 + 5 * 7e-4);
  for (const auto part : {&RequestPrediction::tpot_s, &RequestPrediction::tpot_first_s,
                          &RequestPrediction::tpot_last_s})
    expect_near((p.*part).value - (alone.*part).value, 3e-4 + 5 * 1e-5);
  expect_near(p.itl_p99_s - alone.itl_p99_s, 3e-4 + 5 * 1e-5);
  expect_near(p.decode.host_s, 3e-4 + 5 * 1e-5);
  // The host's cost is known: it widens nothing.
  expect_near(p.tpot_s.high - p.tpot_s.value, alone.tpot_s.high - alone.tpot_s.value);
}

TEST(Host, AFloorHoldsADecodeStepThatWouldBeFaster) {
  Deployment d = deployment();
  const RequestPrediction alone = predict(request(1, 100, 20), d);
  d.engine.times.decode_floor_s = 5e-3;
  const RequestPrediction p = predict(request(1, 100, 20), d);
  EXPECT_EQ(p.tpot_s.value, 5e-3);
  EXPECT_EQ(p.itl_p50_s, 5e-3);
  EXPECT_EQ(p.ttft_s.value, alone.ttft_s.value);
  expect_near(p.decode.host_s, 5e-3 - alone.tpot_s.value);
  d.engine.times.decode_floor_s = 1e-9;
  EXPECT_EQ(predict(request(1, 100, 20), d).tpot_s.value, alone.tpot_s.value);
}

// ---- several GPUs

Deployment on_stages(int64_t pipeline) {
  Deployment d = deployment();
  d.parallel.pipeline = pipeline;
  return d;
}

TEST(Pipeline, OneSequenceGoesThroughAllStages) {
  const TableSet t = made_up::tables();
  for (const int64_t p : {2, 4}) {
    const Deployment d = on_stages(p);
    const RequestPrediction made = predict(request(1, 100, 2), d);
    expect_near(made.ttft_s.value, seconds(t, d, {{.tokens = 100}}));
    expect_near(made.tpot_s.value, seconds(t, d, {{.tokens = 1, .past = 100}}));
  }
}

TEST(Pipeline, MicroBatchesFillTheStages) {
  const TableSet t = made_up::tables();
  for (const int64_t p : {2, 4}) {
    const Deployment d = on_stages(p);
    const RequestPrediction made = predict(request(4 * p, 100, 2), d);
    const auto expected = [&](const Step& part, bool prefill) {
      double sum = 0, slowest = 0;
      for (const auto& stage : made_up::stages(d, part)) {
        sum += seconds(t, stage);
        slowest = std::max(slowest, seconds(t, stage));
      }
      const auto stages = static_cast<double>(p);
      return prefill ? sum + (stages - 1) * slowest : std::max(sum, stages * slowest);
    };
    expect_near(made.ttft_s.value, expected({{.count = 4, .tokens = 100}}, true));
    expect_near(made.tpot_s.value, expected({{.count = 4, .tokens = 1, .past = 100}}, false));
  }
}

// Stages that are alike: p of them and p micro-batches take 2p − 1 of a stage's times.
TEST(Pipeline, EqualStagesFollowTheTextbook) {
  Deployment d = on_stages(2);
  d.model.vocab = 1;
  d.model.layers = 1000;  // so that both ends do not count
  const TableSet t = made_up::tables();
  const RequestPrediction both = predict(request(2, 100, 2), d);
  const double stage = seconds(t, d, {{.tokens = 100}}) / 2;
  const double step = seconds(t, d, {{.tokens = 1, .past = 100}}) / 2;
  EXPECT_NEAR(both.ttft_s.value, 3 * stage, 2e-3 * stage);
  EXPECT_NEAR(both.tpot_s.value, 2 * step, 2e-3 * step);
}

TEST(Pipeline, FiveSequencesOnFourStagesAreThreeMicroBatchesOfTwo) {
  const TableSet t = made_up::tables();
  const Deployment d = on_stages(4);
  double sum = 0, slowest = 0;
  for (const auto& stage : made_up::stages(d, {{.count = 2, .tokens = 100}})) {
    sum += seconds(t, stage);
    slowest = std::max(slowest, seconds(t, stage));
  }
  const Phase p = predict(request(5, 100, 1), d).prefill;
  expect_near(p.seconds.value, sum + 2 * slowest);
  expect_near(work(p, Role::kQkv), work(predict(request(5, 100, 1)).prefill, Role::kQkv));
}

TEST(Pipeline, AMixIsDealtOutFromItsMiddle) {
  const TableSet t = made_up::tables();
  const Deployment d = on_stages(3);
  Request r = request(1, 100, 1);
  for (const int64_t tokens : {200, 300, 400, 500, 600})
    r.prompts.push_back({.count = 1, .tokens = tokens});
  double sum = 0, slowest = 0;  // 200 and 500 of [100 400] [200 500] [300 600]
  for (const auto& stage : made_up::stages(d, {{.tokens = 200}, {.tokens = 500}})) {
    sum += seconds(t, stage);
    slowest = std::max(slowest, seconds(t, stage));
  }
  expect_near(predict(r, d).ttft_s.value, sum + 2 * slowest);
}

TEST(DataParallel, ReplicasShareTheBatch) {
  Deployment d = deployment();
  d.parallel.data = 3;
  const RequestPrediction both = predict(request(12, 100, 20), d);
  const RequestPrediction one = predict(request(4, 100, 20));
  EXPECT_EQ(both.ttft_s.value, one.ttft_s.value);
  EXPECT_EQ(both.tpot_s.value, one.tpot_s.value);
  expect_near(both.output_tokens_per_s, 3 * one.output_tokens_per_s);
  expect_near(both.prefill.flops, 3 * one.prefill.flops);
  expect_near(both.prefill.mfu, one.prefill.mfu);
}

TEST(DataParallel, TheFullestReplicaCounts) {
  Deployment d = deployment();
  d.parallel.data = 4;
  EXPECT_EQ(predict(request(9, 100, 20), d).tpot_s.value,
            predict(request(3, 100, 20)).tpot_s.value);
  Request mix = request(3, 100, 20);
  mix.prompts.push_back({.count = 1, .tokens = 900});  // has a replica for itself
  EXPECT_EQ(predict(mix, d).ttft_s.value, predict(request(1, 900, 20)).ttft_s.value);
}

TEST(TensorParallel, HalvesTheProducts) {
  Deployment d = deployment();
  d.parallel.tensor = 2;
  const RequestPrediction one = predict(request(8, 512, 2)), two = predict(request(8, 512, 2), d);
  for (const Role role : {Role::kQkv, Role::kGateUp, Role::kDown, Role::kOutput})
    expect_near(2 * work(two.prefill, role), work(one.prefill, role));
  // Beside them each layer sends its hidden states twice, and the embedding once.
  double all_reduce = 0;
  for (const RoleTime& r : two.prefill.roles)
    if (r.role == Role::kAllReduce) all_reduce += r.seconds;
  const Call once{"all_reduce", {2, 8 * 512 * 256 * 2, 2}, Dtype::kF16, {}};
  expect_near(all_reduce, 9 * made_up::tables().predict(std::span(&once, 1))[0].seconds);
}

}  // namespace
}  // namespace ridge
