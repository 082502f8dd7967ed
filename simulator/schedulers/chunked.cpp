// vLLM v1 and Sarathi: every step has a budget of tokens; decodes come first, and prompts are cut
// to what is left.
//
// vLLM v1 (vllm/v1/core/sched/scheduler.py): running sequences first, in order of admission; one
// for whose tokens there is no block preempts the last admitted (by priority: the least urgent, of
// these the youngest), until there is. Then, unless one was preempted, waiting ones in order, until
// the budget, the places or the blocks are at an end. A preempted one goes back to the head of the
// queue and is computed again, but for what the prefix cache still has.
//
// Sarathi-Serve (Agrawal et al., OSDI 2024, as Vidur has it): the same, but a prompt's blocks are
// all taken at admission, above a watermark of 1 %, and there is no prefix cache.
#include <algorithm>

#include "simulator/schedulers/kinds.h"

namespace ridge::sim {
namespace {

class Chunked final : public Scheduler {
 public:
  explicit Chunked(const SchedulerConfig& config)
      : Scheduler(config), v1_(config.kind == SchedulerKind::kVllmV1) {}

  void plan(Batch& batch, double now_s, Plan& out) override {
    int64_t budget = config_.token_budget - batch.decodes();
    // At most one prompt is cut, the last admitted: what follows it has no budget.
    int64_t rest = make_room(batch, budget, out);
    out.decode = batch.decodes() > 0;
    if (out.decode) batch.take_decode_blocks();
    budget = config_.token_budget - batch.decodes();
    if (rest > 0 && budget > 0) {
      const int32_t slot = batch.prefilling().front();
      batch.prefill(slot, rest);
      out.chunks.push_back({slot, rest});
      budget -= rest;
    }
    if (out.preempted == 0) admit(batch, now_s, budget, out);
  }

  void arrive(Batch& batch, int32_t request) override {
    if (config_.policy == Policy::kFcfs) return Scheduler::arrive(batch, request);
    insert(batch, request);
  }

  bool takes(const Batch& batch, int32_t request) const override {
    if (v1_ && !config_.chunked_prefill &&
        batch.record(request).arrival.input > config_.token_budget)
      return false;
    return batch.ever_fits(request);
  }

 private:
  // Tokens of the prompt that is cut, after those that must go have gone.
  int64_t make_room(Batch& batch, int64_t budget, Plan& out) {
    while (true) {
      int64_t tokens = 0, blocks = batch.decode_blocks();
      if (!batch.prefilling().empty()) {
        const int32_t slot = batch.prefilling().front();
        const Batch::Live& l = batch.live(slot);
        tokens = std::clamp<int64_t>(l.target - l.computed, 0, std::max<int64_t>(0, budget));
        blocks += batch.blocks_for(slot, tokens);
      }
      if (blocks <= batch.cache().free()) return tokens;
      const int32_t victim = victim_of(batch);
      if (batch.live(victim).decodes) ++budget;
      put_back(batch, batch.preempt(victim));
      ++out.preempted;
    }
  }

  bool less_urgent(const Batch& batch, int32_t a, int32_t b) const {
    const Arrival &x = batch.record(a).arrival, &y = batch.record(b).arrival;
    return std::pair(x.priority, x.time_s) > std::pair(y.priority, y.time_s);
  }

  int32_t victim_of(const Batch& batch) const {
    int32_t victim = batch.last();
    if (config_.policy == Policy::kFcfs) return victim;
    for (int32_t slot = batch.before(victim); slot >= 0; slot = batch.before(slot))
      if (less_urgent(batch, batch.live(slot).request, batch.live(victim).request)) victim = slot;
    return victim;
  }

  void put_back(Batch& batch, int32_t request) const {
    if (config_.policy == Policy::kFcfs)
      batch.waiting.push_front(request);
    else
      insert(batch, request);
  }

  void insert(Batch& batch, int32_t request) const {
    const auto at =
        std::upper_bound(batch.waiting.begin(), batch.waiting.end(), request,
                         [&](int32_t a, int32_t b) { return less_urgent(batch, b, a); });
    batch.waiting.insert(at, request);
  }

  void admit(Batch& batch, double now_s, int64_t budget, Plan& out) const {
    // A replica that nothing else runs on keeps nothing free, or a request of its size would wait
    // for ever.
    const int64_t spare = v1_ || batch.idle() ? 0 : watermark_blocks(batch, 0.01);
    while (!batch.waiting.empty()) {
      if (batch.running() >= config_.max_sequences) {
        out.blocked = Blocked::kSequences;
        return;
      }
      if (budget <= 0) {
        out.blocked = Blocked::kBudget;
        return;
      }
      const int32_t request = batch.waiting.front();
      const Record& r = batch.record(request);
      const int64_t found = batch.found(request);
      const int64_t rest = r.arrival.input + r.generated - found;
      const int64_t tokens = std::min(rest, budget);
      const bool cut = tokens < rest;
      if (cut && v1_ && !config_.chunked_prefill) {
        out.blocked = Blocked::kBudget;
        return;
      }
      if (batch.admission_blocks(request, found, tokens) + spare > batch.cache().free()) {
        out.blocked = Blocked::kBlocks;
        return;
      }
      const int32_t slot = batch.admit(found, now_s);
      batch.prefill(slot, tokens);
      out.chunks.push_back({slot, tokens});
      budget -= tokens;
    }
  }

  bool v1_;
};

}  // namespace

std::unique_ptr<Scheduler> make_chunked(const SchedulerConfig& config) {
  return std::make_unique<Chunked>(config);
}

}  // namespace ridge::sim
