#include "predictor/request/request_report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/core/error.h"
#include "predictor/request/text.h"
#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

using made_up::deployment;
using made_up::request;
using ::testing::HasSubstr;
using ::testing::Not;

RequestAnswer answer(const Request& r, const Deployment& d = deployment()) {
  return answer_request(made_up::tables({}, {{"gemm", 1.5, 0.1}}), d, r);
}

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) most = std::max(most, line.size());
  return most;
}

Model large() {
  Model m = made_up::model();
  m.name = "a-model-with-quite-a-long-name-that-somebody-trained-for-a-long-time-70b";
  m.hidden = 8192, m.layers = 80, m.heads = 64, m.kv_heads = 8, m.head_dim = 128;
  m.ffn = 28672, m.vocab = 128256, m.max_positions = 1 << 20;
  return m;
}

// Everything there is at once.
RequestAnswer full() {
  Deployment d = deployment(large());
  d.parallel = {.tensor = 4, .pipeline = 2, .data = 3};
  d.precision.weights = WeightFormat::kInt4;
  d.precision.kv_cache = Dtype::kF8E4M3;
  d.engine.name = "an-engine-with-a-long-name-of-its-own";
  d.engine.times.decode = {.per_step_s = 1, .per_sequence_s = 1e-6};
  Request r = request(1000, 123456, 100000);
  r.prompts.push_back({.count = 777, .tokens = 654321, .cached = 1000});
  r.chunk = 65536;
  r.speculation = Speculation{.draft = made_up::draft_model()};
  r.speculation->draft.max_positions = 1 << 20;
  r.speculation->draft.kv_heads = 4;
  r.speculation->draft.layers = 2;
  RequestAnswer a = answer(r, d);
  a.fine_tuning = {{"gemm", 0.912345}, {"Grouped_Query_Attention", 1.1}, {"RMS_Norm", 123.456}};
  a.limits = {.ttft_s = 1e-6, .tpot_s = 1e-6};
  a.curve = BatchCurve{.points = {{.batch = 1, .prediction = a.prediction, .fits = false},
                                  {.batch = 1777, .prediction = a.prediction}},
                       .knee = 1,
                       .best = 1};
  return a;
}

TEST(RequestReport, IsAtMost80ColumnsWide) {
  for (const RequestAnswer& a :
       {answer(request(1, 1, 1)), answer(request(16, 4096, 512)), full()}) {
    EXPECT_LE(widest(request_text(a)), kColumns) << request_text(a);
    EXPECT_THAT(request_text(a), Not(HasSubstr("nan")));
  }
}

TEST(RequestReport, FirstSaysWhatWasAsked) {
  EXPECT_THAT(request_text(answer(request(16, 4096, 512))),
              ::testing::StartsWith("made-up-5m on Test machine: batch 16, 4,096 tokens in, 512 out"
                                    "\nf16, kernels engine, 1 GPU\n"));
  const std::string all = request_text(full());
  for (const char* said : {"123,456 to 654,321 tokens in", "int4 weights only",
                           "24 GPUs\n  (TP 4, PP 2, DP 3)", "f8e4m3 KV cache", "chunks of 65,536",
                           "777,000 prompt tokens", "made-up-1m proposes 4", "gemm x 0.9123"})
    EXPECT_THAT(std::string(all.begin(), all.begin() + 500), HasSubstr(said));
}

TEST(RequestReport, OneTokenOutHasNoDecode) {
  const std::string text = request_text(answer(request(2, 100, 1)));
  EXPECT_THAT(text, Not(HasSubstr("TPOT")));
  EXPECT_THAT(text, Not(HasSubstr("decode,")));
  EXPECT_THAT(text, HasSubstr("prefill, "));
}

TEST(RequestReport, SharesOfAPhaseAddTo100Percent) {
  const std::string text = request_text(answer(request(16, 512, 64)));
  std::istringstream lines(text);
  double sum = 0;
  int phases = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  role ")) sum = 0, ++phases;
    if (phases == 0 || line.size() < 46 || line.substr(43, 2) != " %") continue;
    sum += std::stod(line.substr(38, 5));
    if (line.find("others") != std::string::npos) {
      EXPECT_NEAR(sum, 100, 0.5) << text;
    }
  }
  EXPECT_EQ(phases, 2);
  EXPECT_NEAR(sum, 100, 0.5);
}

TEST(RequestReport, SaysWhatWouldFit) {
  const RequestAnswer a = answer(request(1, 1000, 10), deployment(large()));
  ASSERT_FALSE(a.fits());
  ASSERT_FALSE(a.would_fit.empty());
  EXPECT_THAT(a.would_fit[0], HasSubstr("--tp 16"));
  const std::string text = request_text(a);
  EXPECT_THAT(text, HasSubstr("DOES NOT FIT"));
  EXPECT_THAT(text, HasSubstr("would fit: --tp 16 (16 GPUs)"));
  EXPECT_TRUE(answer(request(1, 1000, 10)).would_fit.empty());
}

TEST(RequestReport, WhatWouldFitFits) {
  Deployment d = deployment(large());
  d.parallel.tensor = 16;
  EXPECT_TRUE(answer(request(1, 1000, 10), d).fits());
  d.parallel.tensor = 8;
  EXPECT_FALSE(answer(request(1, 1000, 10), d).fits());
  // Tensor parallelism shares no more of the cache than there are heads of keys; stages do.
  Request cache = request(8, 100000, 10);
  cache.chunk = 4096;
  d.parallel.tensor = 1;
  const RequestAnswer deep = answer(cache, d);
  ASSERT_FALSE(deep.fits());
  EXPECT_EQ(deep.would_fit.at(0), "--pp 64 (64 GPUs)");
  d.parallel.pipeline = 64;
  EXPECT_TRUE(answer(cache, d).fits());
  d.parallel.pipeline = 32;
  EXPECT_FALSE(answer(cache, d).fits());
  // Too many at once: fewer would do.
  Request r = request(4000, 4000, 100);
  r.chunk = 8192;
  const RequestAnswer many = answer(r);
  ASSERT_FALSE(many.fits());
  const std::string fewer = "--batch " + std::to_string(many.memory->max_batch);
  EXPECT_THAT(many.would_fit, ::testing::Contains(fewer));
  r.prompts[0].count = many.memory->max_batch;
  EXPECT_TRUE(answer(r).fits());
  // All prompts in one step have more activations than there is memory.
  const RequestAnswer whole = answer(request(1000, 4000, 100));
  ASSERT_FALSE(whole.fits());
  EXPECT_THAT(whole.would_fit, ::testing::Contains("--chunk 8192"));
}

TEST(RequestReport, TellsWhoAnswered) {
  const RequestAnswer a = answer(request(1, 100, 10));
  EXPECT_THAT(a.answered_by,
              ::testing::UnorderedElementsAre(
                  "gemm f16: made_up",
                  "embedding, add_rmsnorm, rmsnorm, rope, attention_prefill, silu_mul, argmax, "
                  "attention_decode f16: roofline"));
}

TEST(RequestReport, MemoryMayNotBeKnown) {
  RequestAnswer a = answer(request(1, 100, 10));
  a.memory.reset();
  EXPECT_THAT(request_text(a), HasSubstr("not known"));
  EXPECT_FALSE(a.fits());
  EXPECT_EQ(request_schema_errors(to_json(a)), "");
}

TEST(RequestReport, JsonFollowsItsSchema) {
  for (const RequestAnswer& a :
       {answer(request(1, 1, 1)), answer(request(16, 4096, 512)), full()}) {
    const nlohmann::json j = nlohmann::json::parse(to_json(a).dump());
    EXPECT_EQ(request_schema_errors(j), "");
    EXPECT_EQ(j.at("ttft_s").at("value"), a.prediction.ttft_s.value);
    EXPECT_EQ(j.at("request").at("batch"), a.request.batch());
    EXPECT_EQ(j.at("decode").is_null(), a.request.output == 1);
  }
  nlohmann::json j = to_json(answer(request(1, 1, 2)));
  j.erase("ttft_s");
  EXPECT_THAT(request_schema_errors(j), HasSubstr("ttft_s"));
  j = to_json(answer(request(1, 1, 2)));
  j["more"] = 1;
  EXPECT_NE(request_schema_errors(j), "");
}

}  // namespace
}  // namespace ridge
