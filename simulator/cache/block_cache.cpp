#include "simulator/cache/block_cache.h"

#include <algorithm>
#include <cassert>

namespace ridge::sim {

BlockCache::BlockCache(int64_t blocks) : total_(blocks), free_(blocks) {
  if (blocks > 0) append(kNone, 0, blocks);
}

int32_t BlockCache::append(Chain c, int64_t from, int64_t to) {
  // Blocks without content are all alike: one run of them is enough.
  if (c == kNone && back_ != kEnd && runs_[static_cast<std::size_t>(back_)].chain == kNone) {
    runs_[static_cast<std::size_t>(back_)].to += to - from;
    return back_;
  }
  int32_t at = 0;
  if (spare_.empty()) {
    at = static_cast<int32_t>(runs_.size());
    runs_.emplace_back();
  } else {
    at = spare_.back();
    spare_.pop_back();
  }
  runs_[static_cast<std::size_t>(at)] = {c, from, to, back_, kEnd};
  (back_ == kEnd ? front_ : runs_[static_cast<std::size_t>(back_)].behind) = at;
  back_ = at;
  return at;
}

void BlockCache::unlink(int32_t run) {
  const Run& r = runs_[static_cast<std::size_t>(run)];
  (r.before == kEnd ? front_ : runs_[static_cast<std::size_t>(r.before)].behind) = r.behind;
  (r.behind == kEnd ? back_ : runs_[static_cast<std::size_t>(r.behind)].before) = r.before;
  spare_.push_back(run);
}

// The `n` last blocks of the run at the queue's front lose what is in them.
void BlockCache::forget(Run& front, int64_t n) {
  front.to -= n;
  if (front.chain == kNone) return;
  const auto at = chains_.find(front.chain);
  ChainState& c = at->second;
  assert(c.present == front.to + n);
  c.present = front.to;
  if (front.from < front.to) return;
  assert(c.runs.front() == front_);
  c.runs.erase(c.runs.begin());
  if (c.present == 0 && c.holders.empty()) chains_.erase(at);
}

void BlockCache::take(int64_t n) {
  assert(n <= free_);
  free_ -= n;
  taken_ += n;
  while (n > 0) {
    const int32_t at = front_;
    Run& r = runs_[static_cast<std::size_t>(at)];
    const int64_t part = std::min(n, r.to - r.from);
    n -= part;
    forget(r, part);
    if (r.from == r.to) unlink(at);
  }
}

void BlockCache::give(int64_t n) {
  if (n == 0) return;
  free_ += n;
  returned_ += n;
  append(kNone, 0, n);
}

int64_t BlockCache::present(Chain c) const {
  const auto at = chains_.find(c);
  return at == chains_.end() ? 0 : at->second.present;
}

int64_t BlockCache::idle(Chain c, int64_t n) const {
  const auto at = chains_.find(c);
  return at == chains_.end() ? 0 : std::max<int64_t>(0, n - at->second.held());
}

void BlockCache::hold(Chain c, int64_t n) {
  if (n == 0) return;
  ChainState& s = chains_[c];
  assert(n <= s.present);
  const int64_t out = std::max<int64_t>(0, n - s.held());
  // Those that stand in the queue leave it, the lowest first.
  for (int64_t left = out; left > 0;) {
    const int32_t at = s.runs.back();
    Run& r = runs_[static_cast<std::size_t>(at)];
    const int64_t part = std::min(left, r.to - r.from);
    r.from += part;
    left -= part;
    if (r.from < r.to) continue;
    unlink(at);
    s.runs.pop_back();
  }
  free_ -= out;
  taken_ += out;
  ++s.holders[n];
}

bool BlockCache::extend(Chain c, int64_t from, int64_t to) {
  if (to == from) return true;
  ChainState& s = chains_[c];
  if (s.present != from) return false;
  s.present = to;
  if (from > 0 && --s.holders[from] == 0) s.holders.erase(from);
  ++s.holders[to];
  return true;
}

void BlockCache::release(Chain c, int64_t n) {
  if (n == 0) return;
  ChainState& s = chains_.at(c);
  if (--s.holders.at(n) == 0) s.holders.erase(n);
  const int64_t held = s.held();
  if (held >= n) return;
  free_ += n - held;
  returned_ += n - held;
  s.runs.push_back(append(c, held, n));
}

}  // namespace ridge::sim
