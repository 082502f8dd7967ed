#include "profilers/llama/decoder_memory.h"

#include <algorithm>

namespace ridge {

Decoder::Memory::Memory(Backend& backend, const Model& m, const Numerics& n,
                        const DeviceWeights& weights, const Limits& limits)
    : dtype(weights.dtype), epsilon(n.epsilon) {
  const auto size = static_cast<int64_t>(bytes_per_element(dtype));
  const int64_t tokens = std::max(limits.step_tokens, limits.sequences);

  // Places are rounded up to whole lines of 64 numbers: operators want 256-byte alignment.
  const auto place = [&](int64_t count) {
    const int64_t at = state_count;
    state_count += (count + 63) / 64 * 64;
    return at;
  };
  place(tokens);
  positions_at = place(tokens);
  slots_at = place(tokens * m.kv_heads);
  lengths_at = place(limits.sequences);
  last_at = place(limits.sequences);
  state = backend.allocate(state_count * 4);
  backend.fill(state->address(), 0, state->bytes());

  sequence_cache_bytes = m.kv_heads * limits.positions * m.head_dim * size;
  for (int64_t i = 0; i < 2 * m.layers; ++i) {
    caches.push_back(backend.allocate(limits.sequences * sequence_cache_bytes + m.head_dim * size));
    kv_bytes += caches.back()->bytes();
  }

  const std::vector<float> table = rope_table(n, m.head_dim, limits.positions);
  rope = backend.allocate(static_cast<int64_t>(table.size() * sizeof(float)));
  backend.upload(rope->address(), table.data(), rope->bytes());

  activation_bytes = state->bytes() + rope->bytes();
  const auto buffer = [&](int64_t rows, int64_t cols) {
    auto b = backend.allocate(rows * cols * size);
    activation_bytes += b->bytes();
    return b;
  };
  for (auto& r : residual) r = buffer(tokens, m.hidden);
  normed = buffer(tokens, m.hidden);
  for (auto& q : query) q = buffer(tokens, m.q_width());
  for (auto& k : key) k = buffer(tokens, m.kv_width());
  value = buffer(tokens, m.kv_width());
  attended = buffer(tokens, m.q_width());
  block = buffer(tokens, m.hidden);
  gate_up = buffer(tokens, 2 * m.ffn);
  activated = buffer(tokens, m.ffn);
  sampled = buffer(limits.sequences, m.hidden);
  logits = buffer(limits.sequences, m.vocab);
  next = backend.allocate(limits.sequences * 4);
  if (weights.format == WeightFormat::kInt8) allocate_for_int8(backend, m, tokens);
}

void Decoder::Memory::allocate_for_int8(Backend& backend, const Model& m, int64_t tokens) {
  const int64_t longest = std::max({m.hidden, m.q_width(), m.ffn});
  const int64_t widest = std::max({m.hidden, m.q_width(), 2 * m.ffn});
  rounded = backend.allocate(tokens * longest);
  row_scale = backend.allocate(tokens * 4);
  sums = backend.allocate(tokens * widest * 4);
  for (const Buffer* b : {rounded.get(), row_scale.get(), sums.get()})
    activation_bytes += b->bytes();
}

std::byte* Decoder::Memory::cache(int64_t which, int64_t sequence) const {
  return static_cast<std::byte*>(caches[static_cast<std::size_t>(which)]->address()) +
         sequence * sequence_cache_bytes;
}

}  // namespace ridge
