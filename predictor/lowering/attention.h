#pragma once
#include <vector>

#include "predictor/lowering/lower.h"
#include "predictor/lowering/shard.h"

namespace ridge {

// The step's sequences by the kind of attention that they need.
struct StepShape {
  int64_t tokens = 0;
  int64_t prefills = 0, decodes = 0;  // sequences; a decode is one token behind cached ones
  int64_t samples = 0;
};

// Throws BadInput for a step that is empty, has numbers below their least, or is beyond the model's
// context.
StepShape shape_of(const Model& m, const Step& step);

inline bool is_decode(const Sequences& s) { return s.tokens == 1 && s.past > 0; }

// Appends the attention kernels of the stage's layers: a kernel for each kind and length.
void add_attention(const Model& m, const Shard& shard, const Stage& stage,
                   const Precision& precision, const Step& step, const StepShape& shape,
                   std::vector<Kernel>& out);

}  // namespace ridge
