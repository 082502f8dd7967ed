#include "profilers/llama/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "kernels/core/error.h"
#include "predictor/models/nearest_names.h"

namespace ridge {
namespace {

// Problems are collected, so that one look shows whether a tensor or the whole config is wrong.
constexpr std::size_t kShownProblems = 3;

using Shape = std::vector<int64_t>;

class Finder {
 public:
  Finder(const Safetensors& files, const Model& model) : files_(files), model_(model) {}

  const TensorView* take(const std::string& name, const Shape& shape) {
    taken_.insert(name);
    const TensorView* t = files_.find(name);
    if (!t) {
      problems_.push_back(missing(name));
      return nullptr;
    }
    if (t->shape != shape)
      problems_.push_back(fmt::format("{}: has shape {}, config.json says {}", t->where(),
                                      shape_text(t->shape), shape_text(shape)));
    else if (!is_weight(t->dtype))
      problems_.push_back(
          fmt::format("{}: is {}; only F32, F16, BF16 and F64 are read, no quantised weights",
                      t->where(), t->format));
    return t;
  }
  const TensorView* take_if(bool there, const std::string& name, const Shape& shape) {
    return there ? take(name, shape) : nullptr;
  }

  // Of the files' tensors those that were not taken. A weight of the decoder's own layers among
  // them changes its results, whatever the config says.
  std::vector<std::string> rest() {
    std::vector<std::string> unused;
    for (const TensorView& t : files_.tensors()) {
      if (taken_.contains(t.name)) continue;
      unused.push_back(t.name);
      const std::string_view name = t.name;
      if (name.starts_with("model.layers.") &&
          (name.ends_with(".weight") || name.ends_with(".bias")))
        problems_.push_back(
            fmt::format("{}: has no place in a {} of {} layers as config.json "
                        "describes it",
                        t.where(), model_.architecture, model_.layers));
    }
    return unused;
  }

  void check() const {
    if (problems_.empty()) return;
    std::string text = problems_.front();
    for (std::size_t i = 1; i < std::min(problems_.size(), kShownProblems); ++i)
      text += "\n  " + problems_[i];
    if (problems_.size() > kShownProblems)
      text += fmt::format("\n  and {} more; do config.json and the weights belong together?",
                          problems_.size() - kShownProblems);
    throw BadInput(text);
  }

 private:
  static bool is_weight(std::optional<Dtype> t) {
    return t == Dtype::kF32 || t == Dtype::kF16 || t == Dtype::kBf16 || t == Dtype::kF64;
  }

  std::string missing(const std::string& name) const {
    std::string text = fmt::format("{}: tensor '{}' is missing", files_.path().string(), name);
    if (!problems_.empty()) return text;  // the nearest is looked up once: there may be thousands
    const std::vector<std::string> nearest = nearest_names(name, files_.names(), 1);
    return nearest.empty() ? text : text + "; nearest is '" + nearest.front() + "'";
  }

  const Safetensors& files_;
  const Model& model_;
  std::set<std::string> taken_;
  std::vector<std::string> problems_;
};

LayerWeights take_layer(const Model& m, int64_t layer, Finder& find) {
  const std::string at = fmt::format("model.layers.{}.", layer);
  const std::string attention = at + "self_attn.", mlp = at + "mlp.";
  const int64_t q = m.q_width(), kv = m.kv_width();
  LayerWeights w;
  w.input_norm = find.take(at + "input_layernorm.weight", {m.hidden});
  w.q = find.take(attention + "q_proj.weight", {q, m.hidden});
  w.k = find.take(attention + "k_proj.weight", {kv, m.hidden});
  w.v = find.take(attention + "v_proj.weight", {kv, m.hidden});
  w.o = find.take(attention + "o_proj.weight", {m.hidden, q});
  w.q_bias = find.take_if(m.qkv_bias, attention + "q_proj.bias", {q});
  w.k_bias = find.take_if(m.qkv_bias, attention + "k_proj.bias", {kv});
  w.v_bias = find.take_if(m.qkv_bias, attention + "v_proj.bias", {kv});
  w.o_bias = find.take_if(m.output_bias, attention + "o_proj.bias", {m.hidden});
  w.q_norm = find.take_if(m.qk_norm, attention + "q_norm.weight", {m.head_dim});
  w.k_norm = find.take_if(m.qk_norm, attention + "k_norm.weight", {m.head_dim});
  w.post_norm = find.take(at + "post_attention_layernorm.weight", {m.hidden});
  w.gate = find.take(mlp + "gate_proj.weight", {m.ffn, m.hidden});
  w.up = find.take(mlp + "up_proj.weight", {m.ffn, m.hidden});
  w.down = find.take(mlp + "down_proj.weight", {m.hidden, m.ffn});
  w.gate_bias = find.take_if(m.mlp_bias, mlp + "gate_proj.bias", {m.ffn});
  w.up_bias = find.take_if(m.mlp_bias, mlp + "up_proj.bias", {m.ffn});
  w.down_bias = find.take_if(m.mlp_bias, mlp + "down_proj.bias", {m.hidden});
  return w;
}

}  // namespace

double ModelWeights::bytes() const {
  std::uintmax_t sum = files.bytes();
  for (const std::string& name : unused) sum -= files.at(name).bytes.size();
  return static_cast<double>(sum);
}

std::string why_unreadable(const Model& model) {
  static constexpr std::string_view kKnown[] = {"LlamaForCausalLM", "MistralForCausalLM",
                                                "Qwen2ForCausalLM", "Qwen3ForCausalLM"};
  if (std::find(std::begin(kKnown), std::end(kKnown), model.architecture) == std::end(kKnown))
    return fmt::format("weights of a {} are not read; known are {}", model.architecture,
                       fmt::join(kKnown, ", "));
  if (model.experts) return "weights of a mixture of experts are not read";
  return "";
}

ModelWeights read_weights(const Model& model, const std::filesystem::path& folder) {
  if (const std::string why = why_unreadable(model); !why.empty())
    throw BadInput(folder.string() + ": " + why);
  ModelWeights w{.files = Safetensors::open(folder)};
  Finder find(w.files, model);
  w.embedding = find.take("model.embed_tokens.weight", {model.vocab, model.hidden});
  for (int64_t i = 0; i < model.layers; ++i) w.layers.push_back(take_layer(model, i, find));
  w.final_norm = find.take("model.norm.weight", {model.hidden});
  w.lm_head = find.take_if(!model.tied_embeddings, "lm_head.weight", {model.vocab, model.hidden});
  w.unused = find.rest();
  find.check();
  return w;
}

}  // namespace ridge
