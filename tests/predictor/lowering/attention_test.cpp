// Which attention kernels a step's sequences become, and their work.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "tests/predictor/lowering/kernels_of.h"

namespace ridge {
namespace {

double attention_flops(const std::vector<Kernel>& k) {
  return flops(k, Role::kPrefillAttention) + flops(k, Role::kDecodeAttention);
}

// Pairs counted one by one, of tokens at positions past … past + tokens − 1.
double pairs(int64_t tokens, int64_t past, int64_t window) {
  double sum = 0;
  for (int64_t p = past; p < past + tokens; ++p)
    sum += real(window > 0 ? std::min(p + 1, window) : p + 1);
  return sum;
}

TEST(LoweredAttention, OfChunksAddsUpToThatOfTheWhole) {
  for (const char* model : {"llama-3-8b", "mistral-7b", "gemma-2-9b"}) {
    const Model m = find_model(model);
    const double whole = attention_flops(kernels_of(m, prefill_of(8000)));
    for (const int64_t chunk : {512, 4096, 4097, 7999}) {
      double sum = 0;
      for (int64_t past = 0; past < 8000; past += chunk)
        sum += attention_flops(
            kernels_of(m, {{.tokens = std::min(chunk, 8000 - past), .past = past}}));
      EXPECT_DOUBLE_EQ(sum, whole) << model << " " << chunk;
    }
  }
}

TEST(LoweredAttention, OfAMixedStepSplitsPrefillsFromDecodes) {
  const Model m = find_model("llama-3-8b");
  const Step step = {{.count = 3, .tokens = 100},
                     {.count = 1, .tokens = 200, .past = 56, .samples = false},
                     {.count = 4, .tokens = 1, .past = 999},
                     {.count = 12, .tokens = 1, .past = 99},
                     {.count = 2, .tokens = 1}};  // a prompt of one token
  const std::vector<Kernel> k = kernels_of(m, step);
  const auto prefill = with_role(k, Role::kPrefillAttention);
  ASSERT_EQ(prefill.size(), 3u);
  EXPECT_EQ(prefill[0].call.dims, (std::vector<int64_t>{6, 100, 100, 32, 8, 128}));
  EXPECT_EQ(prefill[1].call.dims, (std::vector<int64_t>{6, 200, 256, 32, 8, 128}));
  EXPECT_EQ(prefill[2].call.dims, (std::vector<int64_t>{6, 1, 1, 32, 8, 128}));
  EXPECT_DOUBLE_EQ(prefill[0].count, 32 * 3.0 / 6);
  EXPECT_DOUBLE_EQ(prefill[1].count, 32 * 1.0 / 6);
  const auto decode = with_role(k, Role::kDecodeAttention);
  ASSERT_EQ(decode.size(), 2u);
  EXPECT_EQ(decode[0].call.dims, (std::vector<int64_t>{16, 1000, 32, 8, 128}));
  EXPECT_EQ(decode[1].call.dims, (std::vector<int64_t>{16, 100, 32, 8, 128}));
  EXPECT_DOUBLE_EQ(decode[0].count, 32 * 4.0 / 16);
  EXPECT_DOUBLE_EQ(decode[1].count, 32 * 12.0 / 16);
  // All sequences go through the products together.
  EXPECT_EQ(new_tokens(step), 300 + 200 + 16 + 2);
  EXPECT_EQ(with_role(k, Role::kQkv).at(0).call.dims[0], 518);
}

TEST(LoweredAttention, OfAMixedStepHasTheWorkOfItsSequencesAlone) {
  const Model m = find_model("qwen2.5-7b");
  const Step step = {{.count = 3, .tokens = 700},
                     {.count = 2, .tokens = 64, .past = 1000},
                     {.count = 9, .tokens = 1, .past = 5000}};
  double alone = 0;
  for (const Sequences& s : step) alone += attention_flops(kernels_of(m, {s}));
  EXPECT_NEAR(attention_flops(kernels_of(m, step)) / alone, 1, 1e-12);
}

TEST(LoweredAttention, OfWindowedLayersCountsOnlyKeysWithinTheWindow) {
  const Model mistral = find_model("mistral-7b");  // 4096 in all 32 layers
  for (const auto& [tokens, past] : std::vector<std::pair<int64_t, int64_t>>{
           {1000, 0}, {4096, 0}, {4097, 0}, {10000, 0}, {300, 4000}, {300, 9000}, {2, 4095}}) {
    const auto k = kernels_of(mistral, {{.tokens = tokens, .past = past}});
    EXPECT_DOUBLE_EQ(flops(k, Role::kPrefillAttention),
                     32 * 4.0 * 128 * 32 * pairs(tokens, past, 4096))
        << tokens << " behind " << past;
  }
  const auto far = with_role(kernels_of(mistral, decode_of(20000, 2)), Role::kDecodeAttention);
  ASSERT_EQ(far.size(), 1u);
  EXPECT_EQ(far[0].call.dims, (std::vector<int64_t>{2, 4096, 32, 8, 128}));
  EXPECT_FALSE(far[0].work);
  // A chunk reads no keys but those that its first token looks back at.
  const auto chunk =
      with_role(kernels_of(mistral, {{.tokens = 300, .past = 9000}}), Role::kPrefillAttention);
  EXPECT_EQ(chunk.at(0).call.dims[2], 300 + 4096 - 1);
}

TEST(LoweredAttention, OfEverySecondLayerIsWindowedInGemma2) {
  const Model m = find_model("gemma-2-9b");
  EXPECT_EQ(with_role(kernels_of(m, decode_of(4095)), Role::kDecodeAttention).size(), 1u);
  const auto k = with_role(kernels_of(m, decode_of(5999)), Role::kDecodeAttention);
  ASSERT_EQ(k.size(), 2u);
  EXPECT_EQ(k[0].call.dims[1], 6000);
  EXPECT_EQ(k[1].call.dims[1], 4096);
  EXPECT_EQ(k[0].count, 21);
  EXPECT_EQ(k[1].count, 21);
}

TEST(LoweredAttention, OfAByteCacheReadsHalfOfKeysAndValues) {
  const Model m = find_model("llama-3.1-8b");
  const double keys_and_values = 32 * 2.0 * 8 * 4096 * 8 * 128;  // elements
  for (const Dtype cache : {Dtype::kF8E4M3, Dtype::kInt8}) {
    const How byte{.precision = {.kv_cache = cache}};
    const double before = bytes_read(kernels_of(m, decode_of(4095, 8)), Role::kDecodeAttention);
    const double after =
        bytes_read(kernels_of(m, decode_of(4095, 8), byte), Role::kDecodeAttention);
    EXPECT_EQ(before - after, keys_and_values);
    EXPECT_EQ(kv_bytes_per_token(m, {}, byte.precision), 32 * 2.0 * 8 * 128);
  }
  const How written{.precision = {.kv_cache = Dtype::kInt8},
                    .fusion = {.kv_write_in_attention = false}};
  const auto write = with_role(kernels_of(m, decode_of(10, 8), written), Role::kKvWrite);
  EXPECT_EQ(work_of(write.at(0)).bytes_written, 2.0 * 8 * 8 * 128);
  EXPECT_EQ(with_role(kernels_of(m, decode_of(9)), Role::kDecodeAttention).at(0).work,
            std::nullopt);
}

TEST(LoweredStep, ThatCannotBeIsRefused) {
  const Model m = find_model("llama-3-8b");  // 8192 positions
  EXPECT_NO_THROW(kernels_of(m, prefill_of(8192)));
  EXPECT_NO_THROW(kernels_of(m, decode_of(8191)));
  for (const Step& wrong :
       std::vector<Step>{{},
                         prefill_of(8193),
                         decode_of(8192),
                         prefill_of(0),
                         prefill_of(-5),
                         prefill_of(5, 0),
                         decode_of(-1),
                         {{.tokens = 1, .past = INT64_MAX}},
                         {{.count = INT64_MAX, .tokens = INT64_MAX}},
                         prefill_of(8192, 10000),
                         {{.count = 40000, .tokens = 1}, {.count = 40000, .tokens = 1}}})
    EXPECT_THROW(kernels_of(m, wrong), BadInput);
  Model endless = m;
  endless.max_positions = 0;
  EXPECT_NO_THROW(kernels_of(endless, prefill_of(100000)));
}

}  // namespace
}  // namespace ridge
