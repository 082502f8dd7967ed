// Orca (Yu et al., OSDI 2022): after every iteration those that ended leave and waiting ones join,
// first come first served; an iteration computes whole prompts beside the decodes. A request is
// admitted when the cache of its prompt and its longest answer is free, so none is ever preempted.
#include "simulator/schedulers/kinds.h"

namespace ridge::sim {
namespace {

class Orca final : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void plan(Batch& batch, double now_s, Plan& out) override {
    out.decode = batch.decodes() > 0;
    while (!batch.waiting.empty()) {
      if (batch.running() >= config_.max_sequences) {
        out.blocked = Blocked::kSequences;
        return;
      }
      const int32_t request = batch.waiting.front();
      const int64_t tokens = batch.record(request).arrival.input;
      if (batch.admission_blocks(request, 0, tokens) > batch.cache().free()) {
        out.blocked = Blocked::kBlocks;
        return;
      }
      out.chunks.push_back({batch.admit(0, now_s), tokens});
    }
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_orca(const SchedulerConfig& config) {
  return std::make_unique<Orca>(config);
}

}  // namespace ridge::sim
