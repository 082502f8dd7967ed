#pragma once
#include <vector>

#include "predictor/lowering/lower.h"

namespace ridge {

// The model's sizes on one GPU.
struct Shard {
  int64_t heads = 0;
  int64_t kv_heads = 0;  // at least one: with fewer of them than GPUs, several GPUs hold the same
  int64_t ffn = 0;
  int64_t vocab = 0;  // rounded up
  // Of the experts: `expert_tp` GPUs share each, in `expert_ep` groups. Tokens of `replicas`
  // replicas of attention meet there; above 1, they travel by all-to-all.
  int64_t expert_tp = 1, expert_ep = 1, replicas = 1;
  int64_t shared_ffn = 0;
};

// Throws BadInput for a parallelism that does not divide the model, and names what does not.
Shard shard_of(const Model& m, const Parallel& p);

// The layers that one GPU of a pipeline stage runs.
struct Stage {
  int64_t layers = 0;
  int64_t windowed = 0;  // of them; spread evenly over the model, as its config need not say which
  int64_t experts = 0;   // likewise those with experts
  bool first = false, last = false;

  int64_t dense() const { return layers - experts; }
};

// As even as the layers allow; what is left over goes to the stages before the last, which has the
// LM head (as vLLM does).
std::vector<Stage> stages_of(const Model& m, const Parallel& p);

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Throws BadInput for a dtype, format or group that nothing runs in.
void check_precision(const Model& m, const Precision& p);

}  // namespace ridge
