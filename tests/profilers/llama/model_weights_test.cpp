// Which tensors a decoder takes, and what is said where files and config.json disagree.
#include "profilers/llama/model_weights.h"

#include <gmock/gmock.h>

#include "kernels/core/error.h"
#include "tests/error_of.h"
#include "tests/profilers/llama/files.h"

namespace ridge {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Shapes = std::map<std::string, std::vector<int64_t>>;

// 4 heads of 16 features over 2 heads of keys: q is as wide as hidden, k and v are half of it.
json config(const char* architecture, const json& more = json::object()) {
  json j = {{"architectures", {architecture}},
            {"hidden_size", 64},
            {"intermediate_size", 96},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"head_dim", 16},
            {"vocab_size", 100}};
  j.update(more);
  return j;
}

Model model(const char* architecture, const json& more = json::object()) {
  return model_from_json(config(architecture, more), "config.json", "tiny");
}

// As Hugging Face's classes of these names save them, written out.
Shapes llama_shapes() {
  Shapes s = {{"model.embed_tokens.weight", {100, 64}},
              {"model.norm.weight", {64}},
              {"lm_head.weight", {100, 64}}};
  for (const std::string at : {"model.layers.0.", "model.layers.1."}) {
    s[at + "input_layernorm.weight"] = s[at + "post_attention_layernorm.weight"] = {64};
    s[at + "self_attn.q_proj.weight"] = s[at + "self_attn.o_proj.weight"] = {64, 64};
    s[at + "self_attn.k_proj.weight"] = s[at + "self_attn.v_proj.weight"] = {32, 64};
    s[at + "mlp.gate_proj.weight"] = s[at + "mlp.up_proj.weight"] = {96, 64};
    s[at + "mlp.down_proj.weight"] = {64, 96};
  }
  return s;
}

Shapes with(Shapes shapes, const char* tail, const std::vector<int64_t>& shape) {
  for (const char* at : {"model.layers.0.", "model.layers.1."})
    shapes[std::string(at) + tail] = shape;
  return shapes;
}

struct Weights : FolderTest {
  // Saves zeroes of these shapes, bf16 but for what `formats` names.
  void save(const Shapes& shapes, const std::map<std::string, const char*>& formats = {}) const {
    const std::vector<std::byte> zeroes(1 << 20);
    std::vector<TensorView> tensors;
    for (const auto& [name, shape] : shapes) {
      const auto other = formats.find(name);
      const char* format = other == formats.end() ? "BF16" : other->second;
      TensorView t = view(name, format, shape, {});
      const std::string_view f = format;
      const std::size_t width = f == "F32" || f == "I32" ? 4 : f.starts_with("F8") ? 1 : 2;
      t.bytes = std::span(zeroes).first(static_cast<std::size_t>(t.elements()) * width);
      tensors.push_back(t);
    }
    write_safetensors(folder_ / "model.safetensors", tensors);
  }
  ModelWeights read(const Model& m) const { return read_weights(m, folder_); }
  std::string refusal(const Model& m) const {
    return error_of([&] { (void)read(m); });
  }
};

TEST_F(Weights, OfALlamaAreFoundByName) {
  save(llama_shapes(), {{"model.norm.weight", "F32"}});
  const ModelWeights w = read(model("LlamaForCausalLM"));
  ASSERT_EQ(w.layers.size(), 2u);
  EXPECT_EQ(w.embedding->name, "model.embed_tokens.weight");
  EXPECT_EQ(w.lm_head, &w.output());
  EXPECT_EQ(w.final_norm->dtype, Dtype::kF32);
  const LayerWeights& l = w.layers[1];
  EXPECT_EQ(l.input_norm->name, "model.layers.1.input_layernorm.weight");
  EXPECT_EQ(l.post_norm->name, "model.layers.1.post_attention_layernorm.weight");
  EXPECT_EQ(l.q->name, "model.layers.1.self_attn.q_proj.weight");
  EXPECT_EQ(l.k->name, "model.layers.1.self_attn.k_proj.weight");
  EXPECT_EQ(l.v->name, "model.layers.1.self_attn.v_proj.weight");
  EXPECT_EQ(l.o->name, "model.layers.1.self_attn.o_proj.weight");
  EXPECT_EQ(l.gate->name, "model.layers.1.mlp.gate_proj.weight");
  EXPECT_EQ(l.up->name, "model.layers.1.mlp.up_proj.weight");
  EXPECT_EQ(l.down->name, "model.layers.1.mlp.down_proj.weight");
  for (const TensorView* none : {l.q_bias, l.k_bias, l.v_bias, l.o_bias, l.q_norm, l.k_norm,
                                 l.gate_bias, l.up_bias, l.down_bias})
    EXPECT_EQ(none, nullptr);
  EXPECT_TRUE(w.unused.empty());
}

TEST_F(Weights, TakeTheBytesOfThePublishedParameterCount) {
  save(llama_shapes());
  EXPECT_EQ(read(model("LlamaForCausalLM")).bytes(), 2 * parameters(model("LlamaForCausalLM")));
  Shapes tied = llama_shapes();
  tied.erase("lm_head.weight");
  save(tied);
  const Model m = model("LlamaForCausalLM", {{"tie_word_embeddings", true}});
  EXPECT_EQ(read(m).bytes(), 2 * parameters(m));
}

TEST_F(Weights, OfTiedEmbeddingsHaveNoHeadOfTheirOwn) {
  Shapes shapes = llama_shapes();
  const json tied = {{"tie_word_embeddings", true}};
  save(shapes);
  const ModelWeights both = read(model("LlamaForCausalLM", tied));
  EXPECT_THAT(both.unused, ElementsAre("lm_head.weight"));
  EXPECT_EQ(&both.output(), both.embedding);
  shapes.erase("lm_head.weight");
  save(shapes);
  EXPECT_EQ(read(model("LlamaForCausalLM", tied)).lm_head, nullptr);
  EXPECT_THAT(refusal(model("LlamaForCausalLM")), HasSubstr("'lm_head.weight' is missing"));
}

TEST_F(Weights, OfQwensHaveTheirBiasesAndNorms) {
  Shapes qwen2 = with(llama_shapes(), "self_attn.q_proj.bias", {64});
  qwen2 = with(with(qwen2, "self_attn.k_proj.bias", {32}), "self_attn.v_proj.bias", {32});
  save(qwen2);
  const ModelWeights w = read(model("Qwen2ForCausalLM"));
  EXPECT_EQ(w.layers[0].k_bias->name, "model.layers.0.self_attn.k_proj.bias");
  EXPECT_EQ(w.layers[0].o_bias, nullptr);
  EXPECT_TRUE(w.unused.empty());
  // Results without them would be wrong, so that they are not passed over.
  EXPECT_THAT(refusal(model("MistralForCausalLM")),
              AllOf(HasSubstr("k_proj.bias"), HasSubstr("has no place in a MistralForCausalLM")));

  Shapes qwen3 = with(llama_shapes(), "self_attn.q_norm.weight", {16});
  qwen3 = with(qwen3, "self_attn.k_norm.weight", {16});
  save(qwen3);
  EXPECT_EQ(read(model("Qwen3ForCausalLM")).layers[1].k_norm->name,
            "model.layers.1.self_attn.k_norm.weight");
  EXPECT_THAT(refusal(model("LlamaForCausalLM")), HasSubstr("k_norm.weight"));
  EXPECT_THAT(refusal(model("Qwen2ForCausalLM")), HasSubstr("q_proj.bias' is missing"));
}

TEST_F(Weights, OfALlamaWithEveryBias) {
  Shapes s = llama_shapes();
  for (const char* wide : {"self_attn.q_proj.bias", "self_attn.o_proj.bias", "mlp.down_proj.bias"})
    s = with(s, wide, {64});
  for (const char* half : {"self_attn.k_proj.bias", "self_attn.v_proj.bias"})
    s = with(s, half, {32});
  for (const char* inner : {"mlp.gate_proj.bias", "mlp.up_proj.bias"}) s = with(s, inner, {96});
  save(s);
  const Model m = model("LlamaForCausalLM", {{"attention_bias", true}, {"mlp_bias", true}});
  const ModelWeights w = read(m);
  EXPECT_EQ(w.layers[0].o_bias->name, "model.layers.0.self_attn.o_proj.bias");
  EXPECT_EQ(w.layers[1].down_bias->name, "model.layers.1.mlp.down_proj.bias");
  EXPECT_EQ(w.bytes(), 2 * parameters(m));
}

TEST_F(Weights, EachOfThemMissingOrOfAnotherShapeIsNamed) {
  const Model m = model("LlamaForCausalLM");
  for (const auto& [name, shape] : llama_shapes()) {
    Shapes changed = llama_shapes();
    changed.erase(name);
    save(changed);
    EXPECT_THAT(refusal(m), HasSubstr("tensor '" + name + "' is missing"));
    for (std::size_t i = 0; i < shape.size(); ++i) {
      changed[name] = shape;
      ++changed[name][i];
      save(changed);
      EXPECT_THAT(refusal(m), AllOf(HasSubstr("tensor '" + name + "': has shape"),
                                    HasSubstr("config.json says " + shape_text(shape)),
                                    HasSubstr("model.safetensors")));
    }
  }
}

TEST_F(Weights, OfAnotherDtypeAreNamed) {
  const char* name = "model.layers.1.mlp.up_proj.weight";
  for (const char* format : {"F8_E4M3", "I32", "I16"}) {
    save(llama_shapes(), {{name, format}});
    EXPECT_THAT(refusal(model("LlamaForCausalLM")),
                AllOf(HasSubstr(name), HasSubstr(format), HasSubstr("no quantised weights")));
  }
}

TEST_F(Weights, OfMoreOrFewerLayersThanTheConfigAreRefused) {
  save(llama_shapes());
  EXPECT_THAT(refusal(model("LlamaForCausalLM", {{"num_hidden_layers", 1}})),
              AllOf(HasSubstr("model.layers.1."), HasSubstr("of 1 layers"),
                    HasSubstr("and 6 more; do config.json and the weights belong together?")));
  EXPECT_THAT(refusal(model("LlamaForCausalLM", {{"num_hidden_layers", 3}})),
              AllOf(HasSubstr("model.layers.2.input_layernorm.weight' is missing; nearest is"),
                    HasSubstr("6 more"), Not(HasSubstr("layers.1.mlp"))));
}

TEST_F(Weights, WhatTheDecoderDoesNotTakeIsCounted) {
  Shapes shapes = with(llama_shapes(), "self_attn.rotary_emb.inv_freq", {8});
  shapes["visual.proj"] = {3};
  save(shapes, {{"visual.proj", "I32"}});
  EXPECT_THAT(read(model("LlamaForCausalLM")).unused,
              ElementsAre("model.layers.0.self_attn.rotary_emb.inv_freq",
                          "model.layers.1.self_attn.rotary_emb.inv_freq", "visual.proj"));
}

TEST_F(Weights, OfArchitecturesThatAreNotKnownAreRefusedBeforeAFileIsOpened) {
  EXPECT_THAT(refusal(model("GemmaForCausalLM")),
              AllOf(HasSubstr("GemmaForCausalLM"), HasSubstr("known are LlamaForCausalLM")));
  const json experts = {{"num_local_experts", 8}, {"num_experts_per_tok", 2}};
  EXPECT_NE(why_unreadable(model("MixtralForCausalLM", experts)), "");
}

}  // namespace
}  // namespace ridge
