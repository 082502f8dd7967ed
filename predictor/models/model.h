#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/dtype.h"

namespace ridge {

enum class Activation { kSilu, kGelu };

// The experts of a mixture-of-experts layer; `ffn` is the inner width of one.
struct Experts {
  int64_t count = 0, per_token = 0, ffn = 0;
  int64_t shared_ffn = 0;    // of an expert that every token takes; 0 without one
  bool shared_gate = false;  // a hidden -> 1 projection weighs the shared expert (Qwen1.5/2 MoE)
  int64_t layers = 0;        // that have experts; the others are dense with Model::ffn
};

// A decoder-only transformer, dense or mixture of experts, as its Hugging Face config.json has it.
struct Model {
  std::string name;          // "llama-3.1-8b"
  std::string architecture;  // "LlamaForCausalLM"
  int64_t hidden = 0, layers = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;  // heads · head_dim need not be hidden
  int64_t ffn = 0;                                // inner width of a dense MLP
  int64_t vocab = 0;
  int64_t max_positions = 0;  // the longest context it was made for; 0: its config does not say
  int64_t rotary_dim = 0;     // features of a head that RoPE turns; 0: all

  // Keys that `windowed_layers` layers look back at most; 0: all look at everything.
  int64_t window = 0, windowed_layers = 0;

  Activation activation = Activation::kSilu;
  bool gated = true;             // down(act(gate(x)) · up(x)); else down(act(up(x)))
  bool tied_embeddings = false;  // the LM head is the embedding's table
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  bool qk_norm = false;         // an RMSNorm of head_dim over every query and key head
  int64_t norms_per_layer = 2;  // of width hidden; Gemma 2 and 3 have 4
  bool norm_bias = false;       // LayerNorm instead of RMSNorm
  std::optional<Experts> experts;
  Dtype dtype = Dtype::kBf16;  // that its weights are published in

  int64_t q_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
  int64_t expert_layers() const { return experts ? experts->layers : 0; }
  int64_t dense_layers() const { return layers - expert_layers(); }
};

// Weights, biases, norms and embeddings, shared ones once: the published parameter count. `active`:
// of experts only those that a token takes.
double parameters(const Model& m);
double active_parameters(const Model& m);

// Reads the keys of a Hugging Face config.json. Throws BadInput that names `where`, the key and,
// for an unknown architecture, the nearest that is known.
Model model_from_json(const nlohmann::json& config, const std::string& where,
                      const std::string& name);

// A config.json, or a folder that has one.
Model read_model(const std::filesystem::path& path);

// A path as read_model() takes it, or a bundled model by name or alias ("LLaMA_3.2_1B", "8b",
// "meta-llama/Llama-3.1-8B-Instruct"; letter case and punctuation do not count). Throws BadInput
// with the names nearest to it.
Model find_model(const std::string& name_or_path);

// Names of predictor/models/bundled/, the folder of config.json's that ship.
std::vector<std::string> bundled_models();

}  // namespace ridge
