// vLLM v0 (vllm/core/scheduler.py, without chunked prefill): while a request waits that fits, a
// step is prompts alone, whole ones, within the token budget; else a token for every running
// sequence. Admission leaves 1 % of the blocks free. A decode step wants one free block when its
// last sequence's turn comes, whether that needs it or not; else the last admitted is preempted and
// computed again.
#include "simulator/schedulers/kinds.h"

namespace ridge::sim {
namespace {

class VllmV0 final : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void plan(Batch& batch, double now_s, Plan& out) override {
    admit(batch, now_s, out);
    if (!out.chunks.empty() || batch.idle()) return;
    while (batch.decode_blocks() - batch.decode_blocks(batch.last()) + 1 > batch.cache().free()) {
      batch.waiting.push_front(batch.preempt(batch.last()));
      ++out.preempted;
    }
    out.decode = batch.decodes() > 0;
    out.spare_blocks = 1;
  }

  bool takes(const Batch& batch, int32_t request) const override {
    const int64_t input = batch.record(request).arrival.input;
    return input <= config_.token_budget && batch.ever_fits(request);
  }

 private:
  void admit(Batch& batch, double now_s, Plan& out) const {
    int64_t budget = config_.token_budget;
    while (!batch.waiting.empty()) {
      if (batch.running() >= config_.max_sequences) {
        out.blocked = Blocked::kSequences;
        return;
      }
      const int32_t request = batch.waiting.front();
      const Record& r = batch.record(request);
      const int64_t tokens = r.arrival.input + r.generated;
      // One that grew beyond the budget before it was preempted is computed alone.
      if (tokens > budget && !(r.preemptions > 0 && out.chunks.empty())) {
        out.blocked = Blocked::kBudget;
        return;
      }
      // A replica that nothing else runs on keeps nothing free, or a request of its size would
      // wait for ever.
      const int64_t spare = batch.idle() ? 0 : watermark_blocks(batch, 0.01);
      if (batch.admission_blocks(request, 0, tokens) + spare > batch.cache().free()) {
        out.blocked = Blocked::kBlocks;
        return;
      }
      const int32_t slot = batch.admit(0, now_s);
      batch.prefill(slot, tokens);
      out.chunks.push_back({slot, tokens});
      budget -= tokens;
    }
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_vllm_v0(const SchedulerConfig& config) {
  return std::make_unique<VllmV0>(config);
}

}  // namespace ridge::sim
