#pragma once
#include <algorithm>
#include <cstdint>

namespace ridge::attention_decode {

// In how many parts each cache is cut, so that the grid of blocks · splits fills the GPU evenly.
struct SplitProblem {
  int64_t blocks;   // one for each cache and chunk of query heads
  int64_t slots;    // blocks that the GPU runs at once
  int64_t context;  // keys of a cache
  int64_t step;     // keys that a block takes at a time
};

constexpr int64_t kMaxSplits = 256;

// Weighs the waves of blocks against what every block and the merging cost. The constants are in
// keys, about 60 ns each at head_dim 128 where an SM of an H100 runs four blocks: starting and
// reducing a block takes some 2 µs, the second kernel some 3 µs and its loop over the parts.
inline int choose_splits(const SplitProblem& p) {
  const auto ceil_div = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t limit = std::min(kMaxSplits, ceil_div(p.context, p.step));
  int64_t best = 1, best_cost = 0;
  for (int64_t splits = 1; splits <= limit; ++splits) {
    const int64_t waves = ceil_div(p.blocks * splits, p.slots);
    const int64_t keys = ceil_div(ceil_div(p.context, splits), p.step) * p.step;
    const int64_t cost = waves * (keys + 32) + (splits > 1 ? 48 + splits / 4 : 0);
    if (splits == 1 || cost < best_cost) {
      best = splits;
      best_cost = cost;
    }
  }
  return static_cast<int>(best);
}

}  // namespace ridge::attention_decode
