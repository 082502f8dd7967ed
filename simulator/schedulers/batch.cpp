#include "simulator/schedulers/batch.h"

#include <algorithm>
#include <cassert>

namespace ridge::sim {
namespace {

// A request's own text, as a chain; streams have numbers from 0.
BlockCache::Chain own_chain(int32_t request) { return -2 - static_cast<int64_t>(request); }

// What another replica computed is lost with a preemption.
bool brings_cache(const Record& r) { return r.received > 0 && r.preemptions == 0; }

}  // namespace

Batch::Batch(const BatchConfig& config, std::vector<Record>& records)
    : config_(config),
      records_(records),
      cache_(config.blocks),
      phases_(static_cast<std::size_t>(config.block_tokens), 0) {}

int64_t Batch::blocks_of(int64_t tokens) const {
  return (tokens + config_.block_tokens - 1) / config_.block_tokens;
}

int64_t Batch::stream_limit(const Record& r) const {
  if (r.arrival.stream < 0) return 0;
  if (r.arrival.extends) return blocks_of(r.arrival.input + r.arrival.output);
  return r.arrival.shared / config_.block_tokens;
}

int64_t Batch::found(int32_t request) const {
  const Record& r = at(request);
  if (brings_cache(r)) return r.received;
  if (!config_.prefix_cache) return 0;
  const int64_t most = (r.arrival.input + r.generated - 1) / config_.block_tokens;
  const int64_t limit = stream_limit(r);
  int64_t blocks = limit > 0 ? std::min({most, limit, cache_.present(r.arrival.stream)}) : 0;
  if (!r.arrival.extends && r.preemptions > 0 && blocks == limit)
    blocks += std::min(most - limit, cache_.present(own_chain(request)));
  return blocks * config_.block_tokens;
}

int64_t Batch::admission_blocks(int32_t request, int64_t found, int64_t tokens) const {
  const Record& r = at(request);
  if (config_.allocation == Allocation::kReserved)
    return blocks_of(r.arrival.input + r.arrival.output - 1);
  const int64_t whole = r.arrival.input + r.generated;
  const int64_t held = brings_cache(r) ? 0 : found / config_.block_tokens;
  const int64_t in_stream = std::min(held, stream_limit(r));
  const int64_t until =
      config_.allocation == Allocation::kWholePrompt ? whole : std::min(whole, found + tokens);
  int64_t need = blocks_of(until) - held;
  if (in_stream > 0) need += cache_.idle(r.arrival.stream, in_stream);
  if (held > in_stream) need += cache_.idle(own_chain(request), held - in_stream);
  return need;
}

bool Batch::ever_fits(int32_t request) const {
  const Arrival& a = at(request).arrival;
  return blocks_of(a.input + a.output - 1) <= cache_.total();
}

int32_t Batch::admit(int64_t found, double now_s) {
  const int32_t request = waiting.front();
  waiting.pop_front();
  int32_t slot = 0;
  if (spare_.empty()) {
    slot = static_cast<int32_t>(live_.size());
    live_.emplace_back();
  } else {
    slot = spare_.back();
    spare_.pop_back();
  }
  Record& r = at(request);
  const bool brings = brings_cache(r);
  if (r.scheduled_s < 0) {
    r.scheduled_s = now_s;
    r.cached = found;
  }
  Live& l = live_at(slot);
  const uint32_t life = l.life + 1;
  l = {.request = request, .before = tail_, .target = r.arrival.input + r.generated};
  l.life = life;
  (tail_ < 0 ? head_ : live_at(tail_).behind) = slot;
  tail_ = slot;
  prefilling_.push_back(slot);
  l.computed = found;
  if (!brings) l.blocks = found / config_.block_tokens;
  l.follows = config_.prefix_cache && r.arrival.stream >= 0;
  l.in_stream = std::min(l.blocks, stream_limit(r));
  l.in_own = l.blocks - l.in_stream;
  if (l.in_stream > 0) cache_.hold(r.arrival.stream, l.in_stream);
  if (l.in_own > 0) cache_.hold(own_chain(request), l.in_own);
  if (config_.allocation == Allocation::kAsComputed) return slot;
  const int64_t all = config_.allocation == Allocation::kReserved
                          ? blocks_of(r.arrival.input + r.arrival.output - 1)
                          : blocks_of(l.target);
  cache_.take(all - l.blocks);
  l.blocks = all;
  return slot;
}

int64_t Batch::blocks_for(int32_t slot, int64_t tokens) const {
  const Live& l = live(slot);
  return std::max<int64_t>(0, blocks_of(l.computed + tokens) - l.blocks);
}

void Batch::follow_stream(Live& l, int64_t tokens) {
  if (!l.follows) return;
  const Record& r = at(l.request);
  const int64_t full = std::min(tokens / config_.block_tokens, stream_limit(r));
  if (full <= l.in_stream) return;
  l.follows = cache_.extend(r.arrival.stream, l.in_stream, full);
  if (l.follows) l.in_stream = full;
}

void Batch::prefill(int32_t slot, int64_t tokens) {
  Live& l = live_at(slot);
  const int64_t more = blocks_for(slot, tokens);
  cache_.take(more);
  l.blocks += more;
  follow_stream(l, l.computed + tokens);
}

std::size_t Batch::phase(const Live& l) const {
  const int64_t size = config_.block_tokens, at = (l.computed - l.joined) % size;
  return static_cast<std::size_t>(at < 0 ? at + size : at);
}

int64_t Batch::computed_now(const Live& l) const {
  return l.decodes ? l.computed + step_ - l.joined : l.computed;
}

int64_t Batch::blocks_now(const Live& l) const {
  if (config_.allocation == Allocation::kReserved) return l.blocks;
  return std::max(l.blocks, blocks_of(computed_now(l)));
}

// Its next token goes to place `computed`: a new block where that is the first of one.
int64_t Batch::decode_blocks() const {
  if (config_.allocation == Allocation::kReserved) return 0;
  const int64_t size = config_.block_tokens;
  return phases_[static_cast<std::size_t>((size - step_ % size) % size)];
}

int64_t Batch::decode_blocks(int32_t slot) const {
  if (config_.allocation == Allocation::kReserved || !live(slot).decodes) return 0;
  return computed_now(live(slot)) % config_.block_tokens == 0 ? 1 : 0;
}

void Batch::begin_decode(int32_t slot, double now_s) {
  Live& l = live_at(slot);
  const Record& r = at(l.request);
  l.decodes = true;
  l.joined = step_;
  l.joined_s = now_s;
  ++decodes_;
  decode_context_ += l.computed;
  ++phases_[phase(l)];
  ends_.push({step_ + r.arrival.output - r.generated, slot, l.life});
  if (!fresh_.empty() && fresh_.back().since_s == now_s)
    ++fresh_.back().count;
  else
    fresh_.push_back({now_s, 1});
}

void Batch::stop_decode(int32_t slot) {
  Live& l = live_at(slot);
  --decodes_;
  decode_context_ -= computed_now(l);
  --phases_[phase(l)];
  if (l.joined == step_)  // no decode step since: it does not wait any more
    for (Gap& g : fresh_)
      if (g.since_s == l.joined_s && g.count > 0) {
        --g.count;
        break;
      }
  Record& r = at(l.request);
  r.generated += step_ - l.joined;
  if (step_ > l.joined) r.last_token_s = last_decode_s_;
  l.blocks = blocks_now(l);
  l.computed = computed_now(l);
  l.decodes = false;
}

void Batch::release(int32_t slot, bool preempted) {
  Live& l = live_at(slot);
  const Record& r = at(l.request);
  const bool findable = config_.prefix_cache && (preempted || r.arrival.extends);
  if (findable) {
    follow_stream(l, l.computed);
    const int64_t limit = r.arrival.extends ? 0 : stream_limit(r);
    const int64_t own = l.computed / config_.block_tokens - limit;
    if (!r.arrival.extends && l.in_stream == limit && own > l.in_own &&
        cache_.extend(own_chain(l.request), l.in_own, own))
      l.in_own = own;
  }
  cache_.give(l.blocks - l.in_stream - l.in_own);
  if (l.in_own > 0) cache_.release(own_chain(l.request), l.in_own);
  if (l.in_stream > 0) cache_.release(r.arrival.stream, l.in_stream);
  (l.before < 0 ? head_ : live_at(l.before).behind) = l.behind;
  (l.behind < 0 ? tail_ : live_at(l.behind).before) = l.before;
  spare_.push_back(slot);
}

int32_t Batch::preempt(int32_t slot) {
  Live& l = live_at(slot);
  if (l.decodes)
    stop_decode(slot);
  else
    prefilling_.erase(std::find(prefilling_.begin(), prefilling_.end(), slot));
  ++at(l.request).preemptions;
  release(slot, true);
  ++l.life;
  return l.request;
}

void Batch::take_decode_blocks() {
  if (!decode_blocks_taken_) cache_.take(decode_blocks());
  decode_blocks_taken_ = true;
}

void Batch::decode_step(double end_s) {
  take_decode_blocks();
  decode_blocks_taken_ = false;
  ++step_;
  decode_context_ += decodes_;
  last_decode_s_ = end_s;
  fresh_.clear();
}

bool Batch::computed(const Chunk& c, double end_s) {
  Live& l = live_at(c.slot);
  l.computed += c.tokens;
  if (l.computed < l.target) return false;
  prefilling_.erase(std::find(prefilling_.begin(), prefilling_.end(), c.slot));
  Record& r = at(l.request);
  ++r.generated;
  r.last_token_s = end_s;
  if (r.first_token_s < 0) r.first_token_s = end_s;
  if (r.generated < r.arrival.output || config_.keep_ended)
    begin_decode(c.slot, end_s);
  else
    sampled_out_.push_back(c.slot);
  return true;
}

void Batch::finish(int32_t slot, double end_s, std::vector<int32_t>& out) {
  Live& l = live_at(slot);
  if (l.decodes) stop_decode(slot);
  Record& r = at(l.request);
  r.generated = r.arrival.output;
  r.last_token_s = r.finish_s = end_s;
  release(slot, false);
  ++l.life;
  out.push_back(l.request);
}

void Batch::collect(double end_s, std::vector<int32_t>& out) {
  for (const int32_t slot : sampled_out_) finish(slot, end_s, out);
  sampled_out_.clear();
  while (!ends_.empty() && ends_.top().step <= step_) {
    const End e = ends_.top();
    ends_.pop();
    if (live(e.slot).life != e.life) continue;
    if (config_.keep_ended) {
      kept_.push_back(e.slot);
      ++ended_;
    } else {
      finish(e.slot, end_s, out);
    }
  }
  if (ended_ == 0 || ended_ < running()) return;
  for (const int32_t slot : kept_) finish(slot, end_s, out);
  kept_.clear();
  ended_ = 0;
}

int64_t Batch::steps_to_end() const { return ends_.empty() ? 1 : ends_.top().step - step_; }

}  // namespace ridge::sim
