#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "predictor/models/model.h"
#include "profilers/llama/safetensors.h"

namespace ridge {

// The tensors of one decoder layer. Products are y = x · Wᵀ + b with W of shape [out, in], as
// Hugging Face has them; nullptr: the model has none.
struct LayerWeights {
  const TensorView *input_norm = nullptr, *post_norm = nullptr;  // [hidden]
  const TensorView* q = nullptr;                                 // [heads · head_dim, hidden]
  const TensorView *k = nullptr, *v = nullptr;                   // [kv_heads · head_dim, hidden]
  const TensorView* o = nullptr;                                 // [hidden, heads · head_dim]
  const TensorView *q_bias = nullptr, *k_bias = nullptr, *v_bias = nullptr, *o_bias = nullptr;
  const TensorView *q_norm = nullptr, *k_norm = nullptr;  // [head_dim]
  const TensorView *gate = nullptr, *up = nullptr;        // [ffn, hidden]
  const TensorView* down = nullptr;                       // [hidden, ffn]
  const TensorView *gate_bias = nullptr, *up_bias = nullptr, *down_bias = nullptr;
};

// What a Llama, Mistral, Qwen 2 or Qwen 3 decoder needs, of its files. The views stay valid when
// this is moved, as long as it lives.
struct ModelWeights {
  Safetensors files;
  const TensorView* embedding = nullptr;   // [vocab, hidden]
  const TensorView* final_norm = nullptr;  // [hidden]
  const TensorView* lm_head = nullptr;     // [vocab, hidden]; nullptr: tied to the embedding
  std::vector<LayerWeights> layers;
  std::vector<std::string> unused;  // names that no part of the decoder takes

  const TensorView& output() const { return lm_head ? *lm_head : *embedding; }
  double bytes() const;  // of all that is used, a tied table once
};

// Whether read_weights() knows how the architecture's tensors are called; else why not.
std::string why_unreadable(const Model& model);  // "": it does

// Finds every tensor, and checks shape and dtype (F32, F16, BF16 or F64, which may differ between
// tensors) against `model`. Throws BadInput that names the tensor: missing, of another shape or
// dtype; and where files hold weights of the decoder that its config has not (more layers, biases,
// norms of heads), as results would be wrong. A lm_head.weight beside tied embeddings is unused, as
// in Transformers.
ModelWeights read_weights(const Model& model, const std::filesystem::path& folder);

}  // namespace ridge
