#pragma once
#include <vector>

#include "predictor/request/request.h"

namespace ridge::sim {

// Kernels of one pipeline stage.
struct StageCost {
  double seconds = 0, flops = 0, bytes = 0;
};
using StageCosts = std::vector<StageCost>;  // one a stage

// A step's kernels fall into groups that depend on different things (predictor/lowering): attention
// of decodes on their number and contexts, attention of prompts on theirs, LM head and sampling on
// the number of samples, all others on the number of new tokens.
enum class Group { kBody, kHead, kDecodeAttention, kPrefillAttention };

class ComponentPricer {
 public:
  // Both must outlive it.
  ComponentPricer(const TableSet& tables, const Deployment& d) : tables_(tables), deployment_(d) {}

  StageCosts body(int64_t tokens) const;
  StageCosts head(int64_t samples) const;
  // Of `sequences` that have `context` cached tokens each.
  StageCosts decode_attention(int64_t sequences, int64_t context) const;
  // Of `prompts` parts of `tokens` behind `past` each.
  StageCosts prefill_attention(int64_t prompts, int64_t tokens, int64_t past) const;

 private:
  StageCosts price(const Sequences& s, Group group) const;

  const TableSet& tables_;
  const Deployment& deployment_;
};

}  // namespace ridge::sim
