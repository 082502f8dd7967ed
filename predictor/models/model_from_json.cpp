#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "predictor/models/architectures.h"
#include "predictor/models/config_keys.h"
#include "predictor/models/model.h"
#include "predictor/models/nearest_names.h"

namespace ridge {
namespace {

// Far above any model, and low enough that the sizes of every kernel stay within its operator's.
constexpr int64_t kMostLayers = 4096, kMostHeads = 256, kMostHeadDim = 512, kMostWidth = 1 << 16,
                  kMostInner = 1 << 20, kMostVocab = 1 << 20, kMostPositions = 1 << 30,
                  kMostExperts = 1 << 14, kMostPerToken = 64;

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
  return text;
}

const Architecture& architecture_of(const ConfigKeys& keys) {
  const std::vector<std::string> named = keys.texts("architectures");
  const std::string type = keys.text("model_type", "");
  if (named.empty() && type.empty())
    keys.fail("has neither architectures nor model_type: not the config.json of a model");
  for (const Architecture& a : architectures())
    if (named.empty() ? type == a.model_type : named.front() == a.name) return a;
  std::vector<std::string> known;
  for (const Architecture& a : architectures())
    known.emplace_back(named.empty() ? a.model_type : a.name);
  const std::string& asked = named.empty() ? type : named.front();
  keys.fail(fmt::format("architecture '{}' is not known; nearest is {}; known are {}",
                        asked.substr(0, 60), nearest_names(asked, known, 1).front(),
                        joined(known)));
}

void read_sizes(const ConfigKeys& keys, const Architecture& a, Model& m) {
  m.hidden = keys.whole("hidden_size", kMostWidth);
  m.layers = keys.whole("num_hidden_layers", kMostLayers);
  m.heads = keys.whole("num_attention_heads", kMostHeads, a.heads);
  m.kv_heads = keys.whole("num_key_value_heads", kMostHeads, a.kv_heads ? a.kv_heads : m.heads);
  m.ffn = keys.whole("intermediate_size", kMostInner);
  m.vocab = keys.whole("vocab_size", kMostVocab, a.vocab);
  m.max_positions = keys.whole_or_0("max_position_embeddings", kMostPositions);
  if (m.heads % m.kv_heads != 0)
    keys.fail(fmt::format("num_attention_heads = {} must be a multiple of num_key_value_heads = {}",
                          m.heads, m.kv_heads));
  if (m.heads + m.kv_heads > kMostHeads)
    keys.fail(fmt::format("num_attention_heads + num_key_value_heads = {} must be at most {}",
                          m.heads + m.kv_heads, kMostHeads));
  if (!keys.has("head_dim") && a.head_dim == 0 && m.hidden % m.heads != 0)
    keys.fail(
        fmt::format("hidden_size = {} is not a multiple of num_attention_heads = {}, and "
                    "there is no head_dim",
                    m.hidden, m.heads));
  m.head_dim = keys.whole("head_dim", kMostHeadDim,
                          a.head_dim ? a.head_dim : std::max<int64_t>(1, m.hidden / m.heads));
  if (m.head_dim % 8 != 0 || m.head_dim > kMostHeadDim)
    keys.fail(fmt::format("a head of {} features: only multiples of 8 up to {} are known",
                          m.head_dim, kMostHeadDim));
  const double turned = keys.share("partial_rotary_factor");
  if (turned < 1) {
    m.rotary_dim = static_cast<int64_t>(turned * static_cast<double>(m.head_dim)) / 2 * 2;
    if (m.rotary_dim == 0) keys.fail("partial_rotary_factor leaves no feature to turn");
  }
}

void read_biases(const ConfigKeys& keys, const Architecture& a, Model& m) {
  switch (a.biases) {
    case Biases::kNone:
      break;
    case Biases::kIfAsked:
      m.qkv_bias = m.output_bias = keys.flag("attention_bias", false);
      break;
    case Biases::kQkv:
      m.qkv_bias = keys.flag("attention_bias", true);
      break;
    case Biases::kUseBias:
      m.qkv_bias = m.output_bias = m.mlp_bias = keys.flag("use_bias", true);
      break;
  }
  if (a.mlp_bias_key) m.mlp_bias = keys.flag("mlp_bias", false);
}

int64_t windowed_layers(const ConfigKeys& keys, const Architecture& a, const Model& m) {
  if (const std::vector<std::string> types = keys.texts("layer_types"); !types.empty()) {
    for (const std::string& type : types)
      if (type != "sliding_attention" && type != "full_attention")
        keys.fail("layer_types has '" + type.substr(0, 40) +
                  "'; only sliding_attention and full_attention are known");
    if (static_cast<int64_t>(types.size()) != m.layers)
      keys.fail(fmt::format("layer_types has {} layers, num_hidden_layers says {}", types.size(),
                            m.layers));
    return std::count(types.begin(), types.end(), "sliding_attention");
  }
  switch (a.windows) {
    case Windows::kNone:
      return 0;
    case Windows::kAll:
    case Windows::kAllIfUsed:
      return m.layers;
    case Windows::kUpperIfUsed:
      return std::max<int64_t>(0, m.layers - keys.whole("max_window_layers", kMostLayers, 28));
    case Windows::kPattern:
      break;
  }
  const int64_t written = keys.whole("_sliding_window_pattern", kMostLayers, a.pattern);
  return m.layers - m.layers / keys.whole("sliding_window_pattern", kMostLayers, written);
}

void read_windows(const nlohmann::json& object, const ConfigKeys& keys, const Architecture& a,
                  Model& m) {
  if (a.windows == Windows::kNone) return;
  if ((a.windows == Windows::kAllIfUsed || a.windows == Windows::kUpperIfUsed) &&
      !keys.flag("use_sliding_window", false))
    return;
  // Here null is not the default: it says that there is no window.
  const auto said = object.find("sliding_window");
  if (said != object.end() && said->is_null()) return;
  if (said == object.end() && a.window == 0) return;
  m.window = keys.whole("sliding_window", kMostPositions, a.window);
  m.windowed_layers = windowed_layers(keys, a, m);
  if (m.windowed_layers == 0) m.window = 0;
}

// Layers that have experts, of a Qwen: every decoder_sparse_step-th that mlp_only_layers leaves.
int64_t sparse_layers(const ConfigKeys& keys, const Model& m) {
  const int64_t step = keys.whole("decoder_sparse_step", kMostLayers, 1);
  const std::vector<int64_t> dense = keys.wholes("mlp_only_layers", kMostLayers);
  int64_t sparse = 0;
  for (int64_t i = 0; i < m.layers; ++i)
    if ((i + 1) % step == 0 && std::find(dense.begin(), dense.end(), i) == dense.end()) ++sparse;
  return sparse;
}

void read_experts(const ConfigKeys& keys, const Architecture& a, Model& m) {
  if (a.experts == ExpertKeys::kNone) {
    if (keys.flag("moe", false))
      keys.fail(std::string("moe is true, but a ") + a.name + " has no experts");
    return;
  }
  Experts e;
  e.per_token = keys.whole("num_experts_per_tok", kMostPerToken);
  if (a.experts == ExpertKeys::kMixtral) {
    e.count = keys.whole("num_local_experts", kMostExperts);
    e.ffn = m.ffn;
    e.layers = m.layers;
  } else {
    e.count = keys.whole("num_experts", kMostExperts);
    e.ffn = keys.whole("moe_intermediate_size", kMostInner);
    e.layers = sparse_layers(keys, m);
    e.shared_ffn = keys.whole_or_0("shared_expert_intermediate_size", kMostInner);
    e.shared_gate = e.shared_ffn > 0;
  }
  if (e.per_token > e.count)
    keys.fail(
        fmt::format("num_experts_per_tok = {} is more than the {} experts", e.per_token, e.count));
  if (e.layers > 0) m.experts = e;
}

Activation activation_of(const ConfigKeys& keys, const Architecture& a) {
  const std::string name = keys.text("hidden_activation", keys.text("hidden_act", ""));
  if (name.empty()) return a.activation;
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name.starts_with("gelu")) return Activation::kGelu;
  keys.fail("hidden_act '" + name.substr(0, 40) + "' is not known; known are silu and gelu");
}

Dtype dtype_of(const ConfigKeys& keys) {
  std::string name = keys.text("torch_dtype", keys.text("dtype", "bfloat16"));
  if (name.starts_with("torch.")) name.erase(0, 6);
  if (name == "auto" || name == "bfloat16") return Dtype::kBf16;
  if (name == "float16") return Dtype::kF16;
  if (name == "float32") return Dtype::kF32;
  keys.fail("torch_dtype '" + name.substr(0, 40) +
            "' is not known; known are bfloat16, float16 and float32");
}

}  // namespace

Model model_from_json(const nlohmann::json& config, const std::string& where,
                      const std::string& name) {
  const ConfigKeys file(config, where);
  const Architecture& a = architecture_of(file);
  if (a.nested && !config.contains(a.nested))
    file.fail(std::string("has no ") + a.nested + ", where a " + a.name + " has its sizes");
  const nlohmann::json& object = a.nested ? config.at(a.nested) : config;
  const ConfigKeys keys(object, a.nested ? where + ": " + a.nested : where);

  Model m{.name = name, .architecture = a.name};
  read_sizes(keys, a, m);
  read_biases(keys, a, m);
  read_windows(object, keys, a, m);
  read_experts(keys, a, m);
  m.activation = activation_of(keys, a);
  m.gated = a.gated;
  m.tied_embeddings = file.flag("tie_word_embeddings", keys.flag("tie_word_embeddings", a.tied));
  m.qk_norm = keys.flag("qk_norm", a.qk_norm);
  m.norms_per_layer = a.norms;
  m.norm_bias = a.layer_norm;
  m.dtype = dtype_of(file.has("torch_dtype") || file.has("dtype") ? file : keys);
  return m;
}

}  // namespace ridge
