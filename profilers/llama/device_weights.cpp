#include "profilers/llama/device_weights.h"

#include <fmt/format.h>

#include "kernels/core/error.h"
#include "kernels/quantise/quantise.h"

namespace ridge {
namespace {

// Fills tensors on the host, in room that is used again, and puts them on the device.
class Loader {
 public:
  Loader(Backend& backend, Dtype dtype, WeightSource& source)
      : backend_(backend), dtype_(dtype), source_(source) {}

  std::unique_ptr<Weights> product(Part part, int64_t layer, int64_t n, int64_t k) {
    auto w = backend_.keep_weights(dtype_, n, k, filled(part, layer, n * k));
    bytes_ += w->bytes();
    return w;
  }
  std::unique_ptr<Buffer> tensor(Part part, int64_t layer, int64_t count) {
    const void* host = filled(part, layer, count);
    const auto bytes = static_cast<int64_t>(host_.size());
    auto buffer = backend_.allocate(bytes);
    backend_.upload(buffer->address(), host, bytes);
    bytes_ += bytes;
    return buffer;
  }
  std::unique_ptr<Buffer> tensor_if(bool there, Part part, int64_t layer, int64_t count) {
    return there ? tensor(part, layer, count) : nullptr;
  }
  int64_t bytes() const { return bytes_; }

  // W in int8, rounded by the operator that rounds activations, and the scales of its rows.
  Linear rounded(Part part, int64_t layer, int64_t n, int64_t k) {
    if (k > quantise::kMostSummed)
      throw BadInput(fmt::format("int8 weights: rows of {} could overflow int32, at most {}", k,
                                 quantise::kMostSummed));
    const void* host = filled(part, layer, n * k);
    void* given = room(given_, 4 * n * k);
    void* rounded = room(rounded_, n * k);
    Linear l{.scale = backend_.allocate(4 * n)};
    backend_.upload(given, host, 4 * n * k);
    const auto launch =
        backend_.bind({"quantise_rows", {n, k}, Dtype::kF32, ""},
                      {.inputs = {given}, .outputs = {rounded, l.scale->address()}});
    launch->enqueue();
    backend_.synchronize();
    backend_.download(host_.data(), rounded, n * k);
    l.w = backend_.keep_weights(Dtype::kInt8, n, k, host_.data());
    bytes_ += l.w->bytes() + l.scale->bytes();
    return l;
  }
  // Gives back the room that rounding took: the tensors that follow may be the largest.
  void end_rounding() {
    given_.reset();
    rounded_.reset();
  }

 private:
  void* room(std::unique_ptr<Buffer>& buffer, int64_t bytes) {
    if (!buffer || buffer->bytes() < bytes) {
      buffer.reset();
      buffer = backend_.allocate(bytes);
    }
    return buffer->address();
  }

  const void* filled(Part part, int64_t layer, int64_t count) {
    host_.resize(static_cast<std::size_t>(count) * bytes_per_element(dtype_));
    source_.fill(part, layer, dtype_, host_);
    return host_.data();
  }

  Backend& backend_;
  Dtype dtype_;
  WeightSource& source_;
  std::vector<std::byte> host_;
  std::unique_ptr<Buffer> given_, rounded_;
  int64_t bytes_ = 0;
};

DecoderLayer layer_of(Loader& load, const Model& m, WeightFormat format, int64_t i) {
  const auto linear = [&](Part w, int64_t n, int64_t k, bool biased, Part bias) {
    Linear l = format == WeightFormat::kInt8 ? load.rounded(w, i, n, k)
                                             : Linear{.w = load.product(w, i, n, k)};
    l.bias = load.tensor_if(biased, bias, i, n);
    return l;
  };
  DecoderLayer l;
  l.input_norm = load.tensor(Part::kInputNorm, i, m.hidden);
  l.post_norm = load.tensor(Part::kPostNorm, i, m.hidden);
  l.query_norm = load.tensor_if(m.qk_norm, Part::kQueryNorm, i, m.head_dim);
  l.key_norm = load.tensor_if(m.qk_norm, Part::kKeyNorm, i, m.head_dim);
  l.query = linear(Part::kQuery, m.q_width(), m.hidden, m.qkv_bias, Part::kQueryBias);
  l.key = linear(Part::kKey, m.kv_width(), m.hidden, m.qkv_bias, Part::kKeyBias);
  l.value = linear(Part::kValue, m.kv_width(), m.hidden, m.qkv_bias, Part::kValueBias);
  l.output = linear(Part::kOutput, m.hidden, m.q_width(), m.output_bias, Part::kOutputBias);
  l.gate_up = linear(Part::kGateUp, 2 * m.ffn, m.hidden, m.mlp_bias, Part::kGateUpBias);
  l.down = linear(Part::kDown, m.hidden, m.ffn, m.mlp_bias, Part::kDownBias);
  return l;
}

}  // namespace

std::string why_not_run(const Model& m, int64_t positions) {
  if (m.experts) return "it has experts";
  if (!m.gated || m.activation != Activation::kSilu) return "its MLP is not SwiGLU";
  if (m.norm_bias || m.norms_per_layer != 2) return "its norms are not two RMSNorms a layer";
  if (m.rotary_dim != 0 && m.rotary_dim != m.head_dim) return "RoPE turns a part of its heads";
  if (m.head_dim % 8 != 0) return fmt::format("head_dim {} is no multiple of 8", m.head_dim);
  if (m.window > 0 && m.windowed_layers > 0 && positions > m.window)
    return fmt::format("layers look back {} tokens at most, and {} are asked for", m.window,
                       positions);
  if (m.max_positions > 0 && positions > m.max_positions)
    return fmt::format("it was made for {} tokens, and {} are asked for", m.max_positions,
                       positions);
  return "";
}

DeviceWeights put_on_device(Backend& backend, const Model& m, Dtype dtype, WeightSource& source,
                            WeightFormat format) {
  const bool native = format == WeightFormat::kNative;
  if (!native && (format != WeightFormat::kInt8 || dtype != Dtype::kF32))
    throw BadInput("weights are native, or int8 of a model in f32");
  Loader load(backend, dtype, source);
  DeviceWeights w{.dtype = dtype, .format = format, .source = source.description()};
  for (int64_t i = 0; i < m.layers; ++i) w.layers.push_back(layer_of(load, m, format, i));
  load.end_rounding();
  w.final_norm = load.tensor(Part::kFinalNorm, 0, m.hidden);
  const Part head = m.tied_embeddings ? Part::kEmbedding : Part::kLmHead;
  w.lm_head = load.product(head, 0, m.vocab, m.hidden);
  if (!m.tied_embeddings || !w.lm_head->plain())
    w.embedding = load.tensor(Part::kEmbedding, 0, m.vocab * m.hidden);
  w.bytes = load.bytes();
  return w;
}

}  // namespace ridge
