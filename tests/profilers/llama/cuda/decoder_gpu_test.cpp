// The decoder on a GPU equals that on the CPU, which tiny_logits_test.cpp holds to the reference.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/cpu_backend.h"
#include "profilers/llama/generation.h"
#include "tests/kernels/cuda_device.h"
#include "tests/profilers/llama/made_up_models.h"

namespace ridge {
namespace {

// Random weights rounded to the GPU's dtype, so that both sides multiply by the same numbers.
class Rounded final : public WeightSource {
 public:
  Rounded(const Model& m, Dtype dtype) : source_(random_weights(m)), dtype_(dtype) {}
  void fill(Part part, int64_t layer, Dtype dtype, std::span<std::byte> out) override {
    const std::size_t size = bytes_per_element(dtype), own = bytes_per_element(dtype_);
    std::vector<std::byte> rounded(out.size() / size * own);
    source_->fill(part, layer, dtype_, rounded);
    for (std::size_t i = 0; i < out.size() / size; ++i)
      store_element(dtype, &out[i * size], load_element(dtype_, &rounded[i * own]));
  }
  std::string description() const override { return source_->description(); }

 private:
  std::unique_ptr<WeightSource> source_;
  Dtype dtype_;
};

Decoder decoder(Backend& backend, const Model& m, Dtype weights, Dtype dtype, bool graphs = true) {
  Rounded source(m, weights);
  return {backend,
          m,
          {},
          put_on_device(backend, m, dtype, source),
          {.sequences = 3, .positions = 64, .graphs = graphs}};
}

std::vector<std::vector<Token>> prompts(const Model& m) {
  return {random_prompt(9, m.vocab, 1), random_prompt(9, m.vocab, 2), random_prompt(4, m.vocab, 3)};
}

// Logits after the prompts, and after a decode step behind them.
std::vector<double> logits(Decoder& d) {
  Decoder::Input in;
  std::vector<int64_t> past;
  for (const auto& p : prompts(d.model())) {
    in.tokens.insert(in.tokens.end(), p.begin(), p.end());
    in.lengths.push_back(static_cast<int64_t>(p.size()));
    in.past.push_back(0);
  }
  DecoderStep prefill = d.bind_prefill(0, in.lengths);
  d.set(in);
  d.run(prefill);
  std::vector<double> all = d.logits(3);
  DecoderStep decode = d.bind_decode(3, 20);
  d.set({.tokens = {5, 6, 7}, .lengths = {1, 1, 1}, .past = in.lengths});
  d.run(decode);
  const std::vector<double> then = d.logits(3);
  all.insert(all.end(), then.begin(), then.end());
  return all;
}

double relative_error(const std::vector<double>& is, const std::vector<double>& wanted) {
  double off = 0, size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    off += (is[i] - wanted[i]) * (is[i] - wanted[i]);
    size += wanted[i] * wanted[i];
  }
  return std::sqrt(off / size);
}

class DecoderOnCuda : public OnCuda {
 protected:
  void check(Dtype dtype, double tolerance) {
    const auto cpu = open_cpu_backend(1);
    for (const Model& m : made_up_models()) {
      Decoder there = decoder(gpu(), m, dtype, dtype), here = decoder(*cpu, m, dtype, Dtype::kF32);
      EXPECT_LT(relative_error(logits(there), logits(here)), tolerance) << m.name;
    }
  }
};

TEST_F(DecoderOnCuda, HasTheLogitsOfTheCpuInF32) { check(Dtype::kF32, 1e-4); }
TEST_F(DecoderOnCuda, HasTheLogitsOfTheCpuInF16) { check(Dtype::kF16, 2e-2); }
TEST_F(DecoderOnCuda, HasTheLogitsOfTheCpuInBf16) { check(Dtype::kBf16, 2e-2); }

TEST_F(DecoderOnCuda, GeneratesTheSameWithGraphsWithoutAndProfiled) {
  const Model m = made_up_models()[1];
  std::vector<std::vector<std::vector<Token>>> tokens;
  for (const bool graphs : {true, false}) {
    Decoder d = decoder(gpu(), m, Dtype::kF32, Dtype::kF32, graphs);
    Generation generation(d, prompts(m), 20);
    tokens.push_back(generation.run().tokens);
    const GenerationTimes profiled = generation.run(Detail::kOperations);
    tokens.push_back(profiled.tokens);
    EXPECT_FALSE(profiled.decode[0].operations.empty());
  }
  for (const auto& t : tokens) EXPECT_EQ(t, tokens[0]);
}

}  // namespace
}  // namespace ridge
