// A decoder whose layers' weights are int8: how far it may be from the one in f32, and that it runs
// what the predictor says that it runs.
#include <gmock/gmock.h>

#include <map>

#include "kernels/core/error.h"
#include "tests/profilers/llama/made_up_decoder.h"

namespace ridge {
namespace {

constexpr Decoder::Limits kLimits{.sequences = 3, .positions = 64};

Decoder int8_decoder(const Model& m) { return decoder(m, kLimits, WeightFormat::kInt8); }

// Rounding to steps of max / 127 is off by max / (127 · √12) on average. Weights that are uniform
// up to their max are of size max / √3: 0.4 % of it. Activations near normal have a max of three to
// five times their size: 0.7 to 1.1 %. So a product adds about 1 %, and such errors add up in
// squares: after the eight to twelve products of two or three layers that is 2.8 to 3.5 % where
// each passes on all that came before it. The residual, which goes around them, leaves less: 3 % at
// most. A decoder that is off by nothing does not round.
TEST(Int8Decoder, LogitsAreThoseOfF32WithinTheRounding) {
  for (const Model& m : made_up_models()) {
    const std::vector<std::vector<Token>> prompts{prompt(9, 1), prompt(14, 2), prompt(4, 3)};
    Decoder f32 = decoder(m, kLimits), int8 = int8_decoder(m);
    const double off = distance(logits_after(int8, prompts), logits_after(f32, prompts));
    EXPECT_LT(off, 0.03) << m.name;
    EXPECT_GT(off, 0.001) << m.name;
  }
}

// Each token's activations are rounded by themselves, so that neither the batch nor the cache
// matters but where a last bit of f32 turns a tie.
TEST(Int8Decoder, ABatchAndAStepBoundaryChangeNothing) {
  for (const Model& m : made_up_models()) {
    Decoder d = int8_decoder(m);
    std::vector<std::vector<Token>> longer{prompt(11, 1), prompt(5, 2)};
    longer[0].push_back(42);
    longer[1].push_back(17);
    std::vector<double> alone = logits_after(d, {longer[0]});
    const std::vector<double> second = logits_after(d, {longer[1]});
    alone.insert(alone.end(), second.begin(), second.end());
    EXPECT_LT(distance(logits_after(d, longer), alone), 5e-3) << m.name;
    logits_after(d, {prompt(11, 1), prompt(5, 2)});
    DecoderStep step = d.bind_decode(2, 30);
    d.set({.tokens = {42, 17}, .lengths = {1, 1}, .past = {11, 5}});
    d.run(step);
    EXPECT_LT(distance(d.logits(2), alone), 5e-3) << m.name;
  }
}

// By role, operator and dtype: how many rows of the products' sums and inputs there are.
using Launches = std::map<std::tuple<Role, std::string, Dtype>, double>;

bool is_of_a_product(const Call& c) {
  return c.op == "gemm" || c.op == "quantise_rows" || c.op == "dequantise";
}

void add_to(Launches& all, Role role, const Call& c, double count) {
  // Rows times columns, and of a product times what is summed up.
  double size = count;
  for (const int64_t d : c.dims) size *= static_cast<double>(d);
  if (is_of_a_product(c)) all[{role, c.op, c.dtype}] += size;
}

TEST(Int8Decoder, RunsTheKernelsOfItsLowering) {
  for (const Model& m : made_up_models()) {
    Decoder d = int8_decoder(m);
    EXPECT_EQ(d.precision().weights, WeightFormat::kInt8);
    const DecoderStep prefill = d.bind_prefill(0, std::vector<int64_t>{8});
    const DecoderStep decode = d.bind_decode(1, 9);
    for (const auto& [step, shape] :
         {std::pair{&prefill, Sequences{.tokens = 8}}, {&decode, Sequences{.past = 8}}}) {
      Launches run, expected;
      for (const Operation& o : step->operations()) add_to(run, o.role, o.call, 1);
      const auto stages = lower(m, {}, d.precision(), decoder_fusion(), {shape});
      for (const Kernel& k : stages[0]) add_to(expected, k.role, k.call, k.count);
      EXPECT_EQ(run, expected) << m.name;
      EXPECT_TRUE(run.contains({Role::kDown, "gemm", Dtype::kInt8}));
      EXPECT_TRUE(run.contains({Role::kLmHead, "gemm", Dtype::kF32}));
    }
  }
}

TEST(Int8Decoder, HoldsItsLayersInAQuarter) {
  Model m = made_up_models()[0];
  m.hidden = 512;
  m.heads = m.kv_heads = 8;
  m.head_dim = 64;
  m.ffn = 1024;
  const auto source = random_weights(m);
  const int64_t f32 = put_on_device(cpu(), m, Dtype::kF32, *source).bytes;
  const int64_t int8 = put_on_device(cpu(), m, Dtype::kF32, *source, WeightFormat::kInt8).bytes;
  const int64_t products = m.layers * m.hidden * (4 * m.hidden + 3 * m.ffn);
  // Three bytes fewer each, but for scales and what packing adds to rows.
  EXPECT_NEAR(static_cast<double>(f32 - int8) / static_cast<double>(products), 3, 0.1);
}

TEST(Int8Decoder, OtherFormatsAndDtypesAreRefused) {
  const Model m = made_up_models()[0];
  const auto source = random_weights(m);
  EXPECT_THROW(put_on_device(cpu(), m, Dtype::kF32, *source, WeightFormat::kInt4), BadInput);
  EXPECT_THROW(put_on_device(cpu(), m, Dtype::kBf16, *source, WeightFormat::kInt8), BadInput);
}

}  // namespace
}  // namespace ridge
