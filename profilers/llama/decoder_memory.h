#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "profilers/llama/decoder.h"

namespace ridge {

// What a decoder's launches read and write beside the weights.
struct Decoder::Memory {
  Memory(Backend& backend, const Model& m, const Numerics& n, const DeviceWeights& weights,
         const Limits& limits);

  // K or V of the layer, from a sequence on.
  std::byte* keys(int64_t layer, int64_t sequence) const { return cache(2 * layer, sequence); }
  std::byte* values(int64_t layer, int64_t sequence) const {
    return cache(2 * layer + 1, sequence);
  }
  std::byte* cache(int64_t which, int64_t sequence) const;

  Dtype dtype;
  int64_t sequence_cache_bytes = 0;  // K of one layer and one sequence
  int64_t kv_bytes = 0, activation_bytes = 0;
  double epsilon = 0;

  // What a step is to do, one behind the other in one buffer, so that one copy sets it: tokens,
  // their positions, the cache's rows that their keys go to, each sequence's length, and the rows
  // of the step's last tokens.
  std::unique_ptr<Buffer> state;
  int64_t positions_at = 0, slots_at = 0, lengths_at = 0, last_at = 0, state_count = 0;
  int32_t* at(int64_t place) const { return static_cast<int32_t*>(state->address()) + place; }
  const int32_t* tokens() const { return at(0); }
  const int32_t* positions() const { return at(positions_at); }
  const int32_t* slots() const { return at(slots_at); }
  const int32_t* lengths() const { return at(lengths_at); }
  const int32_t* last() const { return at(last_at); }

  // K, V of layer 0, K, V of layer 1, …, each with a row behind the last sequence that is no one's.
  std::vector<std::unique_ptr<Buffer>> caches;
  std::unique_ptr<Buffer> rope;
  std::unique_ptr<Buffer> residual[2], normed, query[3], key[3], value, attended, block, gate_up,
      activated, sampled, logits, next;
  // With int8 weights, of the product at hand: its input rounded, each row's scale, its int32 sums.
  std::unique_ptr<Buffer> rounded, row_scale, sums;

 private:
  void allocate_for_int8(Backend& backend, const Model& m, int64_t tokens);
};

// Appends the launches of a step to a list.
class Decoder::Binder {
 public:
  Binder(Backend& backend, const Model& m, const DeviceWeights& w, const Memory& memory,
         const Limits& limits)
      : backend_(backend), m_(m), w_(w), memory_(memory), limits_(limits) {}

  // New tokens of sequences that follow each other; `past` tokens of each are in the cache.
  struct Group {
    int64_t first = 0;  // sequence
    std::vector<int64_t> lengths;
  };
  std::vector<Operation> prefill(const Group& group);
  std::vector<Operation> decode(int64_t sequences, int64_t context);

 private:
  void begin(int64_t tokens);
  void layers(const std::function<void(int64_t layer)>& attend);
  void finish(int64_t samples);
  void attention_inputs(int64_t layer);
  void attend_prompts(const Group& group, int64_t layer);
  void attend_caches(int64_t sequences, int64_t context, int64_t layer);

  void add(Role role, const char* op, std::vector<int64_t> dims, const Arguments& arguments);
  void add(Role role, Call call, const Arguments& arguments);
  // Ahead of the products of one input: rounds it where weights are int8.
  void quantise(Role role, int64_t k, const Buffer& x);
  // Of `x`, or of what quantise() was last given where weights are int8.
  void product(Role role, int64_t m, int64_t n, int64_t k, const void* x, const Linear& w, void* y);
  void head_norm(const Buffer* norm, const Buffer& x, const Buffer& y, int64_t heads);
  // The norm behind a residual addition; of nothing but the embedding at first.
  void norm(const Buffer& w);

  Backend& backend_;
  const Model& m_;
  const DeviceWeights& w_;
  const Memory& memory_;
  const Limits& limits_;
  std::vector<Operation> out_;
  int64_t tokens_ = 0, layer_ = -1;
  int side_ = 0;       // of `residual` that holds the sum so far
  bool added_ = true;  // `block` has been added to it
};

}  // namespace ridge
