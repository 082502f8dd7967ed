// The decoder agrees with itself: what a batch, a cache and a step boundary must not change.
#include "profilers/llama/decoder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "tests/profilers/llama/made_up_decoder.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_LT(distance(a, b), tolerance);
}

TEST(Decoder, PromptsOfABatchAreAsAlone) {
  for (const Model& m : made_up_models()) {
    const std::vector<std::vector<Token>> prompts{prompt(9, 1), prompt(9, 2), prompt(4, 3)};
    Decoder d = decoder(m);
    const std::vector<double> together = logits_after(d, prompts);
    std::vector<double> alone;
    for (const auto& p : prompts) {
      const std::vector<double> one = logits_after(d, {p});
      alone.insert(alone.end(), one.begin(), one.end());
    }
    expect_near(together, alone, 1e-5);
  }
}

TEST(Decoder, ADecodeStepIsAsAPromptOfOneMore) {
  for (const Model& m : made_up_models()) {
    Decoder d = decoder(m);
    std::vector<std::vector<Token>> prompts{prompt(11, 1), prompt(5, 2)};
    std::vector<std::vector<Token>> longer = prompts;
    longer[0].push_back(42);
    longer[1].push_back(17);
    const std::vector<double> expected = logits_after(d, longer);
    logits_after(d, prompts);
    DecoderStep step = d.bind_decode(2, 30);
    d.set({.tokens = {42, 17}, .lengths = {1, 1}, .past = {11, 5}});
    d.run(step);
    expect_near(d.logits(2), expected, 1e-5);
  }
}

TEST(Decoder, AStepMayRunAgain) {
  Decoder d = decoder(made_up_models()[0]);
  logits_after(d, {prompt(6, 1)});
  DecoderStep step = d.bind_decode(1, 8);
  d.set({.tokens = {3}, .lengths = {1}, .past = {6}});
  const std::vector<Token> first = d.run(step).tokens;
  const std::vector<double> logits = d.logits(1);
  std::vector<Backend::Span> spans;
  EXPECT_EQ(d.run(step, spans).tokens, first);
  EXPECT_EQ(d.logits(1), logits);
  ASSERT_EQ(spans.size(), step.operations().size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_LE(spans[i].begin_s, spans[i].end_s);
    if (i > 0) {
      EXPECT_LE(spans[i - 1].end_s, spans[i].begin_s);
    }
  }
}

TEST(Decoder, SamplesTheLargestLogit) {
  Decoder d = decoder(made_up_models()[0]);
  DecoderStep step = d.bind_prefill(0, std::vector<int64_t>{7});
  d.set({.tokens = prompt(7, 5), .lengths = {7}, .past = {0}});
  const Decoder::Output out = d.run(step);
  const std::vector<double> logits = d.logits(1);
  EXPECT_EQ(out.tokens[0], std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// What the decoder launches is what the predictor says that it launches.
TEST(Decoder, RunsTheKernelsOfItsLowering) {
  for (const Model& m : made_up_models()) {
    Decoder d = decoder(m);
    const DecoderStep step = d.bind_prefill(0, std::vector<int64_t>{8});
    std::map<Role, double> flops, expected;
    for (const Operation& o : step.operations())
      if (o.call.op == "gemm" || o.role == Role::kPrefillAttention)
        flops[o.role] += find_operator(o.call.op).work(o.call).flops;
    const Precision f32{.dtype = Dtype::kF32, .kv_cache = Dtype::kF32};
    const auto stages = lower(m, {}, f32, decoder_fusion(), {{.tokens = 8}});
    for (const Kernel& k : stages[0])
      if (k.call.op == "gemm" || k.role == Role::kPrefillAttention)
        expected[k.role] += k.count * find_operator(k.call.op).work(k.call).flops;
    EXPECT_EQ(flops, expected) << m.name;
  }
}

TEST(Decoder, SaysWhatItHasNoRoomFor) {
  Decoder d = decoder(made_up_models()[0]);
  const auto why = [&](auto f) -> std::string {
    try {
      f();
    } catch (const BadInput& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_THAT(why([&] { d.bind_prefill(0, std::vector<int64_t>{65}); }), HasSubstr("room for"));
  EXPECT_THAT(why([&] { d.bind_prefill(2, std::vector<int64_t>{3, 3}); }), HasSubstr("room for"));
  EXPECT_THAT(why([&] {
                d.bind_prefill(0, std::vector<int64_t>{3, 0});
              }),
              HasSubstr("at least one token"));
  EXPECT_THAT(why([&] { d.bind_decode(4, 10); }), HasSubstr("room for 3"));
  EXPECT_THAT(why([&] { d.set({.tokens = {97}, .lengths = {1}, .past = {0}}); }),
              HasSubstr("token 97 is not in a vocabulary of 97"));
}

TEST(Decoder, RefusesMoreCacheThanItCanNumber) {
  EXPECT_THROW(decoder(made_up_models()[0], {.sequences = 1 << 20, .positions = 1 << 20}),
               BadInput);
}

TEST(Decoder, ModelsThatItCannotRunAreRefusedByName) {
  Model m = made_up_models()[0];
  m.window = 32;
  m.windowed_layers = 2;
  EXPECT_EQ(why_not_run(m, 32), "");
  EXPECT_THAT(why_not_run(m, 33), HasSubstr("look back 32"));
  EXPECT_THROW(decoder(m), BadInput);
  m = made_up_models()[0];
  m.experts = Experts{};
  EXPECT_THAT(why_not_run(m, 8), HasSubstr("experts"));
}

}  // namespace
}  // namespace ridge
