#pragma once
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace ridge::sim {

// The paged KV cache of one replica. Blocks that nobody holds stand in a queue: the next to be
// given out is the one that was freed first, and a request's last block is freed before its first
// (vLLM's free_block_queue). Until it is given out again, a freed block keeps what is in it.
//
// What can be found again lies in chains: chain c's block i is known by all the text up to its end,
// as a block hash is. A chain is a shared prefix, a conversation, or a preempted request's own
// text. Blocks of one chain leave from its end, so what is present is always its first `present`
// blocks: that, and runs of blocks in the queue instead of single ones, is all that is kept.
class BlockCache {
 public:
  using Chain = int64_t;

  explicit BlockCache(int64_t blocks);

  int64_t total() const { return total_; }
  int64_t free() const { return free_; }
  int64_t used() const { return total_ - free_; }

  // Gives out `n` <= free() blocks; what was in them is forgotten.
  void take(int64_t n);
  // Back into the queue, with nothing in them that can be found again.
  void give(int64_t n);

  // Leading blocks of a chain that are there.
  int64_t present(Chain c) const;
  // Of `n` leading blocks of a chain that are there, those that stand in the queue: holding them
  // takes that many out of it.
  int64_t idle(Chain c, int64_t n) const;
  // Holds the first `n` <= present(c) blocks.
  void hold(Chain c, int64_t n);
  // A holder of `from` blocks has made those up to `to` (blocks that it took). False, and nothing
  // done, where another made the block behind `from` before: then the holder's copies are its own.
  bool extend(Chain c, int64_t from, int64_t to);
  // The holder of `n` blocks lets go; those that no other holds go into the queue, the last first.
  void release(Chain c, int64_t n);

  // Blocks given out and given back since the start: equal when all requests have ended.
  int64_t taken() const { return taken_; }
  int64_t returned() const { return returned_; }

 private:
  // [from, to) of a chain, given out from `to` downwards; chain kNone: blocks without content.
  struct Run {
    Chain chain;
    int64_t from, to;
    int32_t before, behind;
  };
  struct ChainState {
    int64_t present = 0;
    std::map<int64_t, int32_t> holders;  // by number of blocks
    std::vector<int32_t> runs;           // of its blocks in the queue, the lowest last
    int64_t held() const { return holders.empty() ? 0 : holders.rbegin()->first; }
  };
  static constexpr Chain kNone = -1;
  static constexpr int32_t kEnd = -1;

  int32_t append(Chain c, int64_t from, int64_t to);
  void unlink(int32_t run);
  void forget(Run& front, int64_t n);

  int64_t total_, free_;
  int64_t taken_ = 0, returned_ = 0;
  std::vector<Run> runs_;
  std::vector<int32_t> spare_;
  int32_t front_ = kEnd, back_ = kEnd;
  std::unordered_map<Chain, ChainState> chains_;
};

}  // namespace ridge::sim
