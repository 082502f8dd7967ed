#include "simulator/time/components.h"

#include <algorithm>

#include "kernels/core/operators.h"

namespace ridge::sim {
namespace {

// That one lowered step may hold: predictor/lowering/attention.cpp.
constexpr int64_t kMostSequences = 1 << 16;

Group group_of(Role role) {
  switch (role) {
    case Role::kDecodeAttention:
      return Group::kDecodeAttention;
    case Role::kPrefillAttention:
      return Group::kPrefillAttention;
    case Role::kLmHead:
    case Role::kAllGather:
    case Role::kSampling:
      return Group::kHead;
    default:
      return Group::kBody;
  }
}

StageCosts scaled(StageCosts costs, double factor) {
  for (StageCost& c : costs) c.seconds *= factor, c.flops *= factor, c.bytes *= factor;
  return costs;
}

}  // namespace

StageCosts ComponentPricer::price(const Sequences& s, Group group) const {
  const Deployment& d = deployment_;
  const Step step{s};
  std::vector<Kernel> kernels;
  std::vector<std::size_t> stage_of;
  StageCosts costs;
  for (std::vector<Kernel>& stage :
       lower(d.model, d.parallel, d.precision, d.engine.fusion, step)) {
    for (Kernel& k : stage) {
      if (group_of(k.role) != group) continue;
      stage_of.push_back(costs.size());
      kernels.push_back(std::move(k));
    }
    costs.emplace_back();
  }
  const std::vector<Prediction> times = tables_.predict(std::span<const Kernel>(kernels));
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const Kernel& k = kernels[i];
    const Work work = k.work ? *k.work : find_operator(k.call.op).work(k.call);
    StageCost& c = costs[stage_of[i]];
    c.seconds += k.count * times[i].seconds;
    c.flops += k.count * work.flops;
    c.bytes += k.count * (work.bytes_read + work.bytes_written);
  }
  return costs;
}

// As decodes of no context: a step of them is not bounded by the model's longest one. Beyond what a
// step may hold, products and rows take time in proportion.
StageCosts ComponentPricer::body(int64_t tokens) const {
  const int64_t priced = std::min(tokens, kMostSequences);
  return scaled(price({.count = priced}, Group::kBody),
                static_cast<double>(tokens) / static_cast<double>(priced));
}

StageCosts ComponentPricer::head(int64_t samples) const {
  const int64_t priced = std::min(samples, kMostSequences);
  return scaled(price({.count = priced}, Group::kHead),
                static_cast<double>(samples) / static_cast<double>(priced));
}

StageCosts ComponentPricer::decode_attention(int64_t sequences, int64_t context) const {
  return price({.count = sequences, .past = context}, Group::kDecodeAttention);
}

StageCosts ComponentPricer::prefill_attention(int64_t prompts, int64_t tokens, int64_t past) const {
  return price({.count = prompts, .tokens = tokens, .past = past}, Group::kPrefillAttention);
}

}  // namespace ridge::sim
