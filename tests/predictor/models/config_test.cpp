// What each architecture reads from its config.json, and what it fills in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "predictor/models/model.h"

namespace ridge {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json config(const char* architecture, const json& more = json::object()) {
  json j = {{"architectures", {architecture}}, {"hidden_size", 1024},
            {"intermediate_size", 2816},       {"num_hidden_layers", 12},
            {"num_attention_heads", 16},       {"vocab_size", 32000},
            {"max_position_embeddings", 4096}};
  j.update(more);
  return j;
}

Model read(const json& j) { return model_from_json(j, "config.json", "m"); }

std::string error_of(const json& j) {
  try {
    (void)read(j);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "";
}

TEST(Config, OfLlamaFillsInWhatIsAbsent) {
  const Model m = read(config("LlamaForCausalLM"));
  EXPECT_EQ(m.kv_heads, 16);
  EXPECT_EQ(m.head_dim, 64);
  EXPECT_FALSE(m.tied_embeddings || m.qkv_bias || m.output_bias || m.mlp_bias || m.qk_norm);
  EXPECT_EQ(m.window, 0);
  EXPECT_EQ(m.max_positions, 4096);
  EXPECT_EQ(m.dtype, Dtype::kBf16);
  EXPECT_EQ(m.activation, Activation::kSilu);
  const Model biased = read(config("LlamaForCausalLM", {{"attention_bias", true},
                                                        {"mlp_bias", true},
                                                        {"head_dim", 128},
                                                        {"torch_dtype", "float16"}}));
  EXPECT_TRUE(biased.qkv_bias && biased.output_bias && biased.mlp_bias);
  EXPECT_EQ(biased.head_dim, 128);
  EXPECT_EQ(biased.dtype, Dtype::kF16);
  // By hand: q, k, v, o with their biases, gate, up and down with theirs, two norms.
  const double q = 16 * 128,
               layer = 4 * 1024 * q + 3 * q + 1024 + 3 * 1024 * 2816 + 2 * 2816 + 1024 + 2 * 1024;
  EXPECT_EQ(parameters(biased), 2.0 * 32000 * 1024 + 12 * layer + 1024);
}

TEST(Config, NullIsAbsentAndTheModelTypeStandsInForTheArchitecture) {
  json j = config("LlamaForCausalLM", {{"head_dim", nullptr}, {"num_key_value_heads", nullptr}});
  EXPECT_EQ(read(j).kv_heads, 16);
  j.erase("architectures");
  j["model_type"] = "qwen2";
  EXPECT_EQ(read(j).architecture, "Qwen2ForCausalLM");
  j.erase("max_position_embeddings");
  EXPECT_EQ(read(j).max_positions, 0);
}

TEST(Config, OfMistralHasAWindowUnlessItIsNull) {
  EXPECT_EQ(read(config("MistralForCausalLM")).window, 4096);
  const Model m = read(config("MistralForCausalLM", {{"sliding_window", 1024}}));
  EXPECT_EQ(m.window, 1024);
  EXPECT_EQ(m.windowed_layers, 12);
  const Model none = read(config("MistralForCausalLM", {{"sliding_window", nullptr}}));
  EXPECT_EQ(none.window, 0);
  EXPECT_EQ(none.windowed_layers, 0);
  EXPECT_EQ(
      read(config("MixtralForCausalLM", {{"num_local_experts", 8}, {"num_experts_per_tok", 2}}))
          .window,
      0);
}

TEST(Config, OfQwen2HasBiasesAndAWindowOnlyWhenUsed) {
  const Model m = read(config("Qwen2ForCausalLM", {{"sliding_window", 2048}}));
  EXPECT_TRUE(m.qkv_bias);
  EXPECT_FALSE(m.output_bias);
  EXPECT_EQ(m.window, 0);
  const Model used = read(
      config("Qwen2ForCausalLM",
             {{"sliding_window", 2048}, {"use_sliding_window", true}, {"max_window_layers", 9}}));
  EXPECT_EQ(used.window, 2048);
  EXPECT_EQ(used.windowed_layers, 3);
}

TEST(Config, OfQwenMoeKeepsSomeLayersDense) {
  const json keys = {{"num_experts", 60},
                     {"num_experts_per_tok", 4},
                     {"moe_intermediate_size", 704},
                     {"shared_expert_intermediate_size", 2816},
                     {"decoder_sparse_step", 2},
                     {"mlp_only_layers", {1, 3}}};
  const Model m = read(config("Qwen2MoeForCausalLM", keys));
  ASSERT_TRUE(m.experts);
  EXPECT_EQ(m.experts->layers, 4);  // of 1, 3, 5, 7, 9 and 11
  EXPECT_EQ(m.dense_layers(), 8);
  EXPECT_EQ(m.experts->shared_ffn, 2816);
  EXPECT_TRUE(m.experts->shared_gate);
  EXPECT_FALSE(m.qk_norm);
  const Model q3 = read(
      config("Qwen3MoeForCausalLM",
             {{"num_experts", 128}, {"num_experts_per_tok", 8}, {"moe_intermediate_size", 768}}));
  EXPECT_TRUE(q3.qk_norm);
  EXPECT_FALSE(q3.qkv_bias || q3.experts->shared_gate);
  EXPECT_EQ(q3.experts->layers, 12);
}

// Counts that are published: they test the sizes that each architecture fills in.
TEST(Config, OfOtherPublishedModelsHasTheirParameters) {
  const json qwen_moe = {{"architectures", {"Qwen2MoeForCausalLM"}},
                         {"hidden_size", 2048},
                         {"intermediate_size", 5632},
                         {"num_hidden_layers", 24},
                         {"num_attention_heads", 16},
                         {"num_key_value_heads", 16},
                         {"vocab_size", 151936},
                         {"num_experts", 60},
                         {"num_experts_per_tok", 4},
                         {"moe_intermediate_size", 1408},
                         {"shared_expert_intermediate_size", 5632}};
  EXPECT_EQ(parameters(read(qwen_moe)), 14315784192);  // Qwen1.5-MoE-A2.7B
  const json gemma = {{"architectures", {"GemmaForCausalLM"}},
                      {"hidden_size", 2048},
                      {"intermediate_size", 16384},
                      {"num_hidden_layers", 18},
                      {"num_attention_heads", 8},
                      {"num_key_value_heads", 1},
                      {"hidden_act", "gelu"},
                      {"vocab_size", 256000}};
  EXPECT_EQ(parameters(read(gemma)), 2506172416);  // gemma-2b
  const json gemma3 = {{"architectures", {"Gemma3ForCausalLM"}},
                       {"hidden_size", 1152},
                       {"intermediate_size", 6912},
                       {"num_hidden_layers", 26},
                       {"num_attention_heads", 4},
                       {"num_key_value_heads", 1},
                       {"head_dim", 256},
                       {"vocab_size", 262144},
                       {"sliding_window", 512}};
  EXPECT_EQ(parameters(read(gemma3)), 999885952);  // gemma-3-1b
  const json phi = {{"architectures", {"Phi3ForCausalLM"}},
                    {"hidden_size", 3072},
                    {"intermediate_size", 8192},
                    {"num_hidden_layers", 32},
                    {"num_attention_heads", 32},
                    {"num_key_value_heads", 32},
                    {"vocab_size", 32064},
                    {"sliding_window", 2047}};
  EXPECT_EQ(parameters(read(phi)), 3821079552);  // Phi-3-mini-4k
  const json starcoder = {{"architectures", {"Starcoder2ForCausalLM"}},
                          {"hidden_size", 3072},
                          {"intermediate_size", 12288},
                          {"num_hidden_layers", 30},
                          {"num_attention_heads", 24},
                          {"num_key_value_heads", 2},
                          {"hidden_act", "gelu_pytorch_tanh"},
                          {"vocab_size", 49152}};
  EXPECT_EQ(parameters(read(starcoder)), 3030371328);  // starcoder2-3b
}

TEST(Config, OfGemma3IsNestedAndMostLayersAreWindowed) {
  const json text = {{"model_type", "gemma3_text"},
                     {"hidden_size", 2560},
                     {"sliding_window", 1024},
                     {"intermediate_size", 10240},
                     {"num_hidden_layers", 34}};
  const json j = {{"architectures", {"Gemma3ForConditionalGeneration"}},
                  {"text_config", text},
                  {"torch_dtype", "bfloat16"}};
  const Model m = read(j);  // as google/gemma-3-4b-it writes it
  EXPECT_EQ(m.heads, 8);
  EXPECT_EQ(m.kv_heads, 4);
  EXPECT_EQ(m.head_dim, 256);
  EXPECT_EQ(m.window, 1024);
  EXPECT_EQ(m.windowed_layers, 29);  // all but each sixth
  EXPECT_TRUE(m.qk_norm && m.tied_embeddings);
  EXPECT_EQ(m.norms_per_layer, 4);
  EXPECT_EQ(m.activation, Activation::kGelu);
  EXPECT_EQ(parameters(m), 3880263168);
  EXPECT_THAT(error_of({{"architectures", {"Gemma3ForConditionalGeneration"}}}),
              HasSubstr("text_config"));
}

TEST(Config, LayerTypesSayWhichLayersAreWindowed) {
  json types = json::array();
  for (int i = 0; i < 12; ++i) types.push_back(i % 4 == 3 ? "full_attention" : "sliding_attention");
  const json more = {{"layer_types", types}, {"sliding_window", 512}};
  EXPECT_EQ(read(config("Gemma2ForCausalLM", more)).windowed_layers, 9);
  types.push_back("full_attention");
  EXPECT_THAT(error_of(config("Gemma2ForCausalLM", {{"layer_types", types}})),
              HasSubstr("layer_types has 13"));
  types.back() = "linear_attention";
  EXPECT_THAT(error_of(config("Gemma2ForCausalLM", {{"layer_types", types}})),
              HasSubstr("linear_attention"));
}

TEST(Config, OfPhi3TurnsAPartOfEachHead) {
  EXPECT_EQ(read(config("Phi3ForCausalLM", {{"partial_rotary_factor", 0.75}})).rotary_dim, 48);
  EXPECT_EQ(read(config("Phi3ForCausalLM")).rotary_dim, 0);
}

TEST(BadConfig, NamesTheMissingKey) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "vocab_size"}) {
    json j = config("LlamaForCausalLM");
    j.erase(key);
    EXPECT_THAT(error_of(j), HasSubstr(key));
    EXPECT_THAT(error_of(j), HasSubstr("config.json"));
  }
  EXPECT_THAT(error_of(config("MixtralForCausalLM")), HasSubstr("num_experts_per_tok"));
  EXPECT_THAT(error_of(json::object()), HasSubstr("architectures"));
}

TEST(BadConfig, NamesAValueThatCannotBe) {
  const std::vector<json> wrong = {-1,
                                   0,
                                   1e30,
                                   18446744073709551615u,
                                   4096.5,
                                   "4096",
                                   true,
                                   json::array({1}),
                                   json::object(),
                                   9223372036854775807};
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "num_key_value_heads", "vocab_size", "head_dim"})
    for (const json& value : wrong)
      EXPECT_THAT(error_of(config("LlamaForCausalLM", {{key, value}})), HasSubstr(key)) << value;
  const json others = {{"tie_word_embeddings", "yes"},
                       {"attention_bias", 1},
                       {"torch_dtype", "int3"},
                       {"hidden_act", "relu2"},
                       {"max_position_embeddings", -4},
                       {"partial_rotary_factor", 2},
                       {"architectures", "LlamaForCausalLM"},
                       {"moe", true}};
  for (const auto& [key, value] : others.items())
    EXPECT_THAT(error_of(config("LlamaForCausalLM", {{key, value}})), HasSubstr(key));
}

TEST(BadConfig, NamesHeadsThatDoNotDivide) {
  EXPECT_THAT(error_of(config("LlamaForCausalLM", {{"num_key_value_heads", 5}})),
              HasSubstr("must be a multiple of num_key_value_heads = 5"));
  EXPECT_THAT(error_of(config("LlamaForCausalLM", {{"num_key_value_heads", 32}})),
              HasSubstr("multiple"));
  EXPECT_THAT(error_of(config("LlamaForCausalLM", {{"hidden_size", 1000}})), HasSubstr("head_dim"));
  EXPECT_THAT(error_of(config("LlamaForCausalLM", {{"head_dim", 60}})), HasSubstr("60"));
  const json many = {{"num_local_experts", 8}, {"num_experts_per_tok", 9}};
  EXPECT_THAT(error_of(config("MixtralForCausalLM", many)), HasSubstr("num_experts_per_tok = 9"));
}

TEST(BadConfig, NamesTheNearestOfAnUnknownArchitecture) {
  EXPECT_THAT(error_of(config("LLaMaForCausalLM2")), HasSubstr("nearest is LlamaForCausalLM"));
  EXPECT_THAT(error_of(config("Qwen4ForCausalLM")), HasSubstr("'Qwen4ForCausalLM' is not known"));
  EXPECT_THAT(error_of(config("DeepseekV3ForCausalLM")), HasSubstr("known are LlamaForCausalLM"));
  json j = config("x");
  j.erase("architectures");
  j["model_type"] = "qwen3moe";
  EXPECT_THAT(error_of(j), HasSubstr("nearest is qwen3_moe"));
  for (const json& odd : {json(), json(3), json("x"), json::array()})
    EXPECT_THAT(error_of(odd), HasSubstr("must be a JSON object"));
}

}  // namespace
}  // namespace ridge
