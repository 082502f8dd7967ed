#include "profilers/llama/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/core/error.h"
#include "profilers/llama/decoder_memory.h"

namespace ridge {

std::vector<Launch*> DecoderStep::launches() const {
  std::vector<Launch*> all;
  for (const Operation& o : operations_) all.push_back(o.launch.get());
  return all;
}

Fusion decoder_fusion() {
  return {.qkv = false,
          .gate_up = true,
          .add_norm = true,
          .activation = true,
          .rope_in_attention = false,
          .kv_write_in_attention = false,
          .quantise_in_product = false};
}

Decoder::Decoder(Backend& backend, const Model& model, const Numerics& numerics,
                 DeviceWeights weights, const Limits& limits)
    : backend_(backend), model_(model), weights_(std::move(weights)), limits_(limits) {
  if (limits.sequences < 1 || limits.positions < 1 || limits.step_tokens < 1)
    throw BadInput("a decoder needs at least one sequence of one token");
  if (const std::string why = why_not_run(model, limits.positions); !why.empty())
    throw BadInput(model.name + ": cannot be run here: " + why);
  // Rows of the cache are numbered in 32 bits, and one more than there are (set_idle()).
  if (limits.sequences > (int64_t{1} << 30) / limits.positions / model.kv_heads)
    throw BadInput(fmt::format("{} sequences of {} tokens: more rows of cache than are numbered",
                               limits.sequences, limits.positions));
  memory_ = std::make_unique<Memory>(backend, model_, numerics, weights_, limits_);
}

Decoder::~Decoder() = default;

DecoderStep Decoder::bind_prefill(int64_t first, std::span<const int64_t> lengths) {
  const auto count = static_cast<int64_t>(lengths.size());
  const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  const int64_t longest = count > 0 ? *std::max_element(lengths.begin(), lengths.end()) : 0;
  if (count < 1 || *std::min_element(lengths.begin(), lengths.end()) < 1)
    throw BadInput("a prompt needs at least one token");
  if (first + count > limits_.sequences || tokens > limits_.step_tokens ||
      longest > limits_.positions)
    throw BadInput(fmt::format(
        "a prefill of {} sequences, {} tokens, the longest of {}: the decoder has room for {} "
        "sequences of {} tokens, and {} tokens a step",
        first + count, tokens, longest, limits_.sequences, limits_.positions, limits_.step_tokens));
  Binder binder(backend_, model_, weights_, *memory_, limits_);
  DecoderStep step =
      finish(binder.prefill({first, {lengths.begin(), lengths.end()}}), count, false);
  step.tokens_ = tokens;
  return step;
}

DecoderStep Decoder::bind_decode(int64_t sequences, int64_t context) {
  if (sequences < 1 || sequences > limits_.sequences || context < 1 || context > limits_.positions)
    throw BadInput(fmt::format(
        "a decode step of {} sequences at a context of {}: the decoder has room for {} of {} "
        "tokens",
        sequences, context, limits_.sequences, limits_.positions));
  Binder binder(backend_, model_, weights_, *memory_, limits_);
  DecoderStep step = finish(binder.decode(sequences, context), sequences, limits_.graphs);
  step.tokens_ = sequences;
  return step;
}

DecoderStep Decoder::finish(std::vector<Operation> operations, int64_t sequences, bool graph) {
  DecoderStep step;
  step.operations_ = std::move(operations);
  step.sequences_ = sequences;
  const Method method =
      graph && backend_.table_method() == Method::kGraph ? Method::kGraph : Method::kStream;
  if (method == Method::kGraph) set_idle();
  step.batch_ = backend_.batch(step.launches(), method);
  return step;
}

// Making a graph runs its launches: they may not touch what sequences have in the cache.
void Decoder::set_idle() {
  const Memory& m = *memory_;
  std::vector<int32_t> state(static_cast<std::size_t>(m.state_count));
  const int64_t spare = limits_.sequences * model_.kv_heads * limits_.positions;
  std::fill(state.begin() + m.slots_at, state.begin() + m.lengths_at, static_cast<int32_t>(spare));
  std::fill(state.begin() + m.lengths_at, state.begin() + m.last_at, 1);
  backend_.upload(m.state->address(), state.data(), m.state_count * 4);
}

void Decoder::set(const Input& in) {
  const Memory& m = *memory_;
  std::vector<int32_t> state(static_cast<std::size_t>(m.state_count));
  const auto at = [&](int64_t base, int64_t i) -> int32_t& {
    return state[static_cast<std::size_t>(base + i)];
  };
  int64_t token = 0;
  for (std::size_t s = 0; s < in.lengths.size(); ++s) {
    const int64_t sequence = in.first + static_cast<int64_t>(s);
    for (int64_t i = 0; i < in.lengths[s]; ++i, ++token) {
      const int64_t position = in.past[s] + i;
      const Token id = in.tokens[static_cast<std::size_t>(token)];
      if (id < 0 || id >= model_.vocab)
        throw BadInput(fmt::format("token {} is not in a vocabulary of {}", id, model_.vocab));
      at(0, token) = id;
      at(m.positions_at, token) = static_cast<int32_t>(position);
      for (int64_t h = 0; h < model_.kv_heads; ++h)
        at(m.slots_at, token * model_.kv_heads + h) =
            static_cast<int32_t>((sequence * model_.kv_heads + h) * limits_.positions + position);
    }
    at(m.lengths_at, static_cast<int64_t>(s)) = static_cast<int32_t>(in.past[s] + in.lengths[s]);
    at(m.last_at, static_cast<int64_t>(s)) = static_cast<int32_t>(token - 1);
  }
  backend_.upload(m.state->address(), state.data(), m.state_count * 4);
}

Decoder::Output Decoder::collect(const DecoderStep& step, double device_s) {
  Output out{.tokens = std::vector<Token>(static_cast<std::size_t>(step.sequences_)),
             .device_s = device_s};
  backend_.download(out.tokens.data(), memory_->next->address(), step.sequences_ * 4);
  return out;
}

Decoder::Output Decoder::run(DecoderStep& step) {
  return collect(step, step.batch_->run().seconds);
}

Decoder::Output Decoder::run(DecoderStep& step, std::vector<Backend::Span>& spans) {
  spans = backend_.trace(step.launches());
  return collect(step, spans.empty() ? 0 : spans.back().end_s);
}

std::vector<double> Decoder::logits(int64_t sequences) {
  const std::size_t size = bytes_per_element(dtype());
  std::vector<std::byte> bytes(static_cast<std::size_t>(sequences * model_.vocab) * size);
  backend_.download(bytes.data(), memory_->logits->address(), static_cast<int64_t>(bytes.size()));
  std::vector<double> values;
  for (std::size_t i = 0; i < bytes.size(); i += size)
    values.push_back(load_element(dtype(), &bytes[i]));
  return values;
}

const Model& Decoder::model() const { return model_; }
Dtype Decoder::dtype() const { return weights_.dtype; }
Precision Decoder::precision() const {
  return {.dtype = weights_.dtype, .weights = weights_.format, .kv_cache = weights_.dtype};
}
const Decoder::Limits& Decoder::limits() const { return limits_; }
Decoder::Bytes Decoder::bytes() const {
  return {weights_.bytes, memory_->kv_bytes, memory_->activation_bytes};
}

}  // namespace ridge
