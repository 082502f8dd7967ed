#include "simulator/cluster/replica.h"

#include <algorithm>

namespace ridge::sim {
namespace {

BatchConfig batch_config(const ReplicaConfig& c) {
  BatchConfig b = c.batch;
  b.allocation = allocation_of(c.scheduler.kind);
  b.keep_ended = keeps_ended(c.scheduler.kind);
  b.prefix_cache = b.prefix_cache && has_prefix_cache(c.scheduler.kind);
  return b;
}

}  // namespace

Replica::Replica(const ReplicaConfig& config, int32_t index, std::vector<Record>& records,
                 StepTime& time)
    : config_(config),
      index_(index),
      records_(records),
      time_(time),
      batch_(batch_config(config), records),
      scheduler_(make_scheduler(config.scheduler)) {}

void Replica::arrive(int32_t request, double time_s) {
  Record& r = records_[static_cast<std::size_t>(request)];
  r.replica = index_;
  if (!scheduler_->takes(batch_, request)) {
    r.rejected = true;
    return;
  }
  scheduler_->arrive(batch_, request);
  if (batch_.idle()) clock_ = std::max(clock_, time_s);
  if (next_s_ == kIdle || batch_.idle()) next_s_ = clock_;
  if (next_s_ >= config_.stop_s) next_s_ = kIdle;
  totals_.most_waiting =
      std::max(totals_.most_waiting, static_cast<int64_t>(batch_.waiting.size()));
}

void Replica::advance(double horizon_s, std::vector<int32_t>& ended) {
  if (next_s_ > clock_ && batch_.idle()) clock_ = next_s_;
  const std::size_t before = ended.size();
  plan_.decode = false;
  plan_.chunks.clear();
  plan_.wake_s = kIdle;
  plan_.spare_blocks = plan_.preempted = 0;
  plan_.blocked = Blocked::kNothing;
  scheduler_->plan(batch_, clock_, plan_);
  totals_.preemptions += plan_.preempted;
  if (plan_.empty()) {
    next_s_ = plan_.wake_s;
  } else {
    if (plan_.chunks.empty())
      decode_steps(horizon_s, ended);
    else
      mixed_step(ended);
    ended_last_ = static_cast<int64_t>(ended.size() - before);
    next_s_ = batch_.idle() && batch_.waiting.empty() ? kIdle : clock_;
  }
  if (next_s_ >= config_.stop_s) next_s_ = kIdle;
}

void Replica::mixed_step(std::vector<int32_t>& ended) {
  load_.decodes = plan_.decode ? batch_.decodes() : 0;
  load_.decode_context = plan_.decode ? batch_.decode_context() : 0;
  load_.samples = load_.decodes;
  load_.prefills.clear();
  for (const Batch::Chunk& c : plan_.chunks) {
    const Batch::Live& l = batch_.live(c.slot);
    if (c.tokens == 1 && l.computed > 0) {  // one token behind others is a decode to the kernels
      ++load_.decodes;
      load_.decode_context += l.computed;
    } else {
      load_.prefills.push_back({c.tokens, l.computed});
    }
    load_.samples += l.computed + c.tokens == l.target ? 1 : 0;
  }
  const StepCost cost = time_.cost(load_);
  const double start_s = clock_;
  clock_ += cost.seconds;
  totals_.prefill_tokens += load_.prefill_tokens();
  after_step(start_s, cost);
  if (config_.record_spans)
    totals_.spans.push_back({start_s, clock_, 1, load_.decodes, load_.prefill_tokens(),
                             static_cast<int64_t>(load_.prefills.size())});
  if (plan_.decode) {
    count_gaps(clock_);
    batch_.decode_step(clock_);
  }
  for (const Batch::Chunk& c : plan_.chunks) {
    const Record& r = batch_.record(batch_.live(c.slot).request);
    const double before_s = r.generated > 0 ? r.last_token_s : kNever;
    if (batch_.computed(c, clock_) && before_s >= 0) totals_.between_tokens.add(clock_ - before_s);
  }
  batch_.collect(clock_, ended);
}

// Which sequences run, and so what a step needs, stays the same until one of them ends, a request
// comes, or blocks run out: nothing is decided anew, and a step costs the same for any batch.
void Replica::decode_steps(double horizon_s, std::vector<int32_t>& ended) {
  // After a preemption the next step may admit what this one may not.
  const int64_t until_end = plan_.preempted > 0 ? 1 : std::max<int64_t>(1, batch_.steps_to_end());
  const double start_s = clock_, stop_s = std::min(horizon_s, config_.stop_s);
  load_.prefills.clear();
  load_.decodes = load_.samples = batch_.decodes();
  int64_t steps = 0;
  do {
    load_.decode_context = batch_.decode_context();
    const StepCost cost = time_.cost(load_);
    const double step_s = clock_;
    clock_ += cost.seconds;
    after_step(step_s, cost);
    count_gaps(clock_);
    batch_.decode_step(clock_);
    ++steps;
  } while (steps < until_end && clock_ < stop_s &&
           batch_.decode_blocks() + plan_.spare_blocks <= batch_.cache().free());
  if (config_.record_spans) totals_.spans.push_back({start_s, clock_, steps, load_.decodes, 0, 0});
  batch_.collect(clock_, ended);
}

// Ended sequences that are computed on get no tokens.
void Replica::count_gaps(double end_s) {
  int64_t old = batch_.decodes() - batch_.ended();
  totals_.decode_tokens += old;
  for (const Batch::Gap& g : batch_.joined_since()) {
    const int64_t count = std::min(g.count, old);
    totals_.between_tokens.add(end_s - g.since_s, count);
    old -= count;
  }
  totals_.between_tokens.add(end_s - batch_.last_decode_s(), old);
}

void Replica::after_step(double start_s, const StepCost& cost) {
  Totals& t = totals_;
  const BlockCache& cache = batch_.cache();
  const auto waiting = static_cast<int64_t>(batch_.waiting.size());
  const double used = static_cast<double>(cache.used()) / static_cast<double>(cache.total());
  ++t.steps;
  t.busy_s += cost.seconds;
  t.flops += cost.flops;
  t.bytes += cost.bytes;
  t.most_running = std::max(t.most_running, batch_.running());
  t.cache_peak = std::max(t.cache_peak, used);
  t.cache_time += used * cost.seconds;
  t.running_time += static_cast<double>(batch_.running()) * cost.seconds;
  t.waiting_time += static_cast<double>(waiting) * cost.seconds;
  if (plan_.blocked == Blocked::kBlocks) t.cache_full_s += cost.seconds;
  if (plan_.blocked == Blocked::kSequences) t.sequences_full_s += cost.seconds;
  if (t.series.due(start_s))
    t.series.add({start_s, batch_.running(), waiting, used, static_cast<double>(t.decode_tokens)});
}

}  // namespace ridge::sim
