// A batch runs from its first prompt to its last token before the next begins.
//   static              takes what waits as soon as the replica is free; all answers are given back
//                       when the last has ended, and ended ones are computed on until then
//   dynamic             the same, but a batch that is not full waits until its oldest request has
//                       waited max_wait_s (Triton's dynamic batcher)
//   faster_transformer  takes what waits; those that ended leave, and nobody takes their place
// The cache of prompt and answer is reserved, and limits a batch as max_sequences does.
#include "simulator/schedulers/kinds.h"

namespace ridge::sim {
namespace {

class WholeBatch final : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void plan(Batch& batch, double now_s, Plan& out) override {
    if (!batch.idle()) {
      out.decode = true;
      if (!batch.waiting.empty()) out.blocked = Blocked::kSequences;
      return;
    }
    if (batch.waiting.empty()) return;
    if (config_.kind == SchedulerKind::kDynamic &&
        static_cast<int64_t>(batch.waiting.size()) < config_.max_sequences) {
      const double until = batch.record(batch.waiting.front()).arrival.time_s + config_.max_wait_s;
      if (now_s < until) {
        out.wake_s = until;
        return;
      }
    }
    while (!batch.waiting.empty() && batch.running() < config_.max_sequences) {
      const int32_t request = batch.waiting.front();
      const int64_t tokens = batch.record(request).arrival.input;
      if (batch.admission_blocks(request, 0, tokens) > batch.cache().free()) return;
      out.chunks.push_back({batch.admit(0, now_s), tokens});
    }
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_whole_batch(const SchedulerConfig& config) {
  return std::make_unique<WholeBatch>(config);
}

}  // namespace ridge::sim
