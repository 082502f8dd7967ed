#include "predictor/models/architectures.h"

namespace ridge {
namespace {

// Gemma 3's own classes: published files leave out what their defaults say.
Architecture gemma3(const char* name, const char* model_type, const char* nested) {
  return {.name = name,
          .model_type = model_type,
          .nested = nested,
          .biases = Biases::kIfAsked,
          .windows = Windows::kPattern,
          .activation = Activation::kGelu,
          .tied = true,
          .qk_norm = true,
          .norms = 4,
          .head_dim = 256,
          .heads = 8,
          .kv_heads = 4,
          .vocab = 262208,
          .window = 4096,
          .pattern = 6};
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {
      {.name = "LlamaForCausalLM",
       .model_type = "llama",
       .biases = Biases::kIfAsked,
       .mlp_bias_key = true},
      {.name = "MistralForCausalLM",
       .model_type = "mistral",
       .windows = Windows::kAll,
       .window = 4096},
      {.name = "MixtralForCausalLM",
       .model_type = "mixtral",
       .windows = Windows::kAll,
       .experts = ExpertKeys::kMixtral},
      {.name = "Qwen2ForCausalLM",
       .model_type = "qwen2",
       .biases = Biases::kQkv,
       .windows = Windows::kUpperIfUsed,
       .window = 4096},
      {.name = "Qwen2MoeForCausalLM",
       .model_type = "qwen2_moe",
       .biases = Biases::kQkv,
       .windows = Windows::kUpperIfUsed,
       .experts = ExpertKeys::kQwen,
       .window = 4096},
      {.name = "Qwen3ForCausalLM",
       .model_type = "qwen3",
       .biases = Biases::kIfAsked,
       .windows = Windows::kUpperIfUsed,
       .qk_norm = true,
       .head_dim = 128,
       .window = 4096},
      {.name = "Qwen3MoeForCausalLM",
       .model_type = "qwen3_moe",
       .biases = Biases::kIfAsked,
       .windows = Windows::kAllIfUsed,
       .experts = ExpertKeys::kQwen,
       .qk_norm = true,
       .window = 4096},
      {.name = "GemmaForCausalLM",
       .model_type = "gemma",
       .biases = Biases::kIfAsked,
       .activation = Activation::kGelu,
       .tied = true,
       .head_dim = 256},
      {.name = "Gemma2ForCausalLM",
       .model_type = "gemma2",
       .biases = Biases::kIfAsked,
       .windows = Windows::kPattern,
       .activation = Activation::kGelu,
       .tied = true,
       .norms = 4,
       .head_dim = 256,
       .window = 4096,
       .pattern = 2},
      gemma3("Gemma3ForCausalLM", "gemma3_text", nullptr),
      gemma3("Gemma3ForConditionalGeneration", "gemma3", "text_config"),
      {.name = "Phi3ForCausalLM", .model_type = "phi3", .windows = Windows::kAll},
      {.name = "Starcoder2ForCausalLM",
       .model_type = "starcoder2",
       .biases = Biases::kUseBias,
       .windows = Windows::kAll,
       .activation = Activation::kGelu,
       .gated = false,
       .tied = true,
       .layer_norm = true},
  };
  return all;
}

}  // namespace ridge
