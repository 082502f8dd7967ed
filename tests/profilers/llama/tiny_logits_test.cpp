// The decoder equals an independent reference in double precision (reference.py), for every
// architecture that it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/cpu/cpu_backend.h"
#include "profilers/llama/generation.h"
#include "tests/profilers/llama/tiny_models.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-4;
constexpr int64_t kPositions = 128;

Backend& cpu() {
  static const std::unique_ptr<Backend> backend = open_cpu_backend(1);
  return *backend;
}

struct Expected {
  std::vector<Token> prompt, tokens;
  std::vector<double> logits, logits_after_8;
};

std::vector<Expected> expected_of(const fs::path& folder) {
  std::vector<Expected> all;
  const nlohmann::json file = read_json(folder / "expected.json");
  for (const auto& p : file.at("prompts"))
    all.push_back({p.at("prompt"), p.at("tokens"), p.at("logits"), p.at("logits_after_8")});
  EXPECT_FALSE(all.empty()) << folder;
  return all;
}

Decoder decoder_of(const fs::path& folder, int64_t sequences) {
  const Model model = read_model(folder);
  const auto source = weights_of_folder(model, folder.string());
  const Numerics numerics = numerics_from_json(read_json(folder / "config.json"), folder.string());
  return {cpu(),
          model,
          numerics,
          put_on_device(cpu(), model, Dtype::kF32, *source),
          {.sequences = sequences, .positions = kPositions}};
}

double relative_error(const std::vector<double>& is, const std::vector<double>& wanted) {
  double off = 0, size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    off += (is[i] - wanted[i]) * (is[i] - wanted[i]);
    size += wanted[i] * wanted[i];
  }
  return std::sqrt(off / size);
}

std::vector<double> logits_of(Decoder& d, const std::vector<Token>& tokens) {
  const auto length = static_cast<int64_t>(tokens.size());
  DecoderStep step = d.bind_prefill(0, std::vector<int64_t>{length});
  d.set({.tokens = tokens, .lengths = {length}, .past = {0}});
  d.run(step);
  return d.logits(1);
}

TEST(TinyLlamas, HaveTheLogitsOfTheReference) {
  const std::vector<fs::path> folders = tiny_models();
  if (folders.empty()) GTEST_SKIP() << "no tiny models: Python has no NumPy";
  for (const fs::path& folder : folders) {
    SCOPED_TRACE(folder);
    if (const std::string why = why_not_run(read_model(folder), kPositions); !why.empty()) {
      EXPECT_THAT(why, testing::HasSubstr("look back"));
      EXPECT_THROW(decoder_of(folder, 1), BadInput);
      continue;
    }
    Decoder d = decoder_of(folder, 1);
    for (const Expected& e : expected_of(folder)) {
      EXPECT_LT(relative_error(logits_of(d, e.prompt), e.logits), kTolerance);
      std::vector<Token> longer = e.prompt;
      longer.insert(longer.end(), e.tokens.begin(), e.tokens.begin() + 8);
      EXPECT_LT(relative_error(logits_of(d, longer), e.logits_after_8), kTolerance);
    }
  }
}

// All prompts at once, of unequal lengths, 64 tokens each.
TEST(TinyLlamas, GenerateTheTokensOfTheReference) {
  const std::vector<fs::path> folders = tiny_models();
  if (folders.empty()) GTEST_SKIP() << "no tiny models: Python has no NumPy";
  for (const fs::path& folder : folders) {
    SCOPED_TRACE(folder);
    if (!why_not_run(read_model(folder), kPositions).empty()) continue;
    std::vector<std::vector<Token>> prompts, tokens;
    for (const Expected& e : expected_of(folder)) {
      prompts.push_back(e.prompt);
      tokens.push_back(e.tokens);
      EXPECT_GE(e.tokens.size(), 64U);
    }
    Decoder d = decoder_of(folder, static_cast<int64_t>(prompts.size()));
    Generation generation(d, prompts, static_cast<int64_t>(tokens[0].size()));
    EXPECT_EQ(generation.run().tokens, tokens);
  }
}

}  // namespace
}  // namespace ridge
