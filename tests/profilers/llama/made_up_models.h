#pragma once
#include <vector>

#include "predictor/models/model.h"

namespace ridge {

// One of each kind: many heads (MHA), grouped heads, biases and tied embeddings (Qwen 2), norms of
// heads whose width is not hidden (Qwen 3).
inline std::vector<Model> made_up_models() {
  Model mha{.name = "mha",
            .architecture = "LlamaForCausalLM",
            .hidden = 64,
            .layers = 2,
            .heads = 4,
            .kv_heads = 4,
            .head_dim = 16,
            .ffn = 96,
            .vocab = 97};
  Model grouped = mha;
  grouped.name = "grouped";
  grouped.kv_heads = 2;
  grouped.layers = 3;
  Model biased = grouped;
  biased.name = "biased";
  biased.qkv_bias = true;
  biased.tied_embeddings = true;
  Model normed = grouped;
  normed.name = "normed";
  normed.qk_norm = true;
  normed.head_dim = 24;
  normed.kv_heads = 1;
  return {mha, grouped, biased, normed};
}

}  // namespace ridge
