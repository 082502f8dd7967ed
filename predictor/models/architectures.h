#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "predictor/models/model.h"

namespace ridge {

enum class Biases {
  kNone,
  kIfAsked,  // `attention_bias` adds one to query, key, value and output
  kQkv,      // of query, key and value, unless `attention_bias` is false
  kUseBias,  // `use_bias`, true by default, adds one to every product
};

// Which layers look back at most `sliding_window` keys, where the config has no `layer_types`.
enum class Windows {
  kNone,
  kAll,
  kAllIfUsed,    // all with `use_sliding_window`
  kUpperIfUsed,  // with it those from `max_window_layers` on
  kPattern,      // all but each `sliding_window_pattern`-th
};

enum class ExpertKeys { kNone, kMixtral, kQwen };

// What Transformers' class of the name does that its config.json need not say. Zeroes: the config
// has to say it.
struct Architecture {
  const char* name;              // "LlamaForCausalLM"
  const char* model_type;        // "llama"
  const char* nested = nullptr;  // the key of the language model's config in the file
  Biases biases = Biases::kNone;
  Windows windows = Windows::kNone;
  ExpertKeys experts = ExpertKeys::kNone;
  Activation activation = Activation::kSilu;
  bool gated = true, tied = false, qk_norm = false, layer_norm = false;
  bool mlp_bias_key = false;  // `mlp_bias` is read
  int64_t norms = 2;
  int64_t head_dim = 0;  // 0: hidden / heads
  int64_t heads = 0, kv_heads = 0, vocab = 0;
  int64_t window = 0, pattern = 0;
};

const std::vector<Architecture>& architectures();

}  // namespace ridge
