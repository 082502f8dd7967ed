#pragma once
#include <cstdint>
#include <deque>
#include <queue>
#include <utility>
#include <vector>

#include "simulator/cache/block_cache.h"
#include "simulator/metrics/record.h"

namespace ridge::sim {

// When a sequence gets the blocks of its cache.
enum class Allocation {
  kAsComputed,   // those of the tokens that a step computes (vLLM v1)
  kWholePrompt,  // the prompt's when it is admitted, then as it grows (vLLM v0, Sarathi)
  kReserved,     // those of prompt and answer when it is admitted (Orca, FasterTransformer)
};

struct BatchConfig {
  int64_t blocks = 1, block_tokens = 16;
  bool prefix_cache = false;
  Allocation allocation = Allocation::kAsComputed;
  bool keep_ended = false;  // ended sequences are computed on until all of the batch have ended
};

// What runs and waits on one replica, and its cache. Sequences that decode are kept as a group: a
// step of all of them costs the same however many they are, as their ends stand in a heap by the
// number of the decode step, and their needs of blocks in one count for each place in a block.
class Batch {
 public:
  // A part of a prompt that a step computes.
  struct Chunk {
    int32_t slot;
    int64_t tokens;
  };
  struct Live {
    int32_t request = 0;
    int32_t before = -1, behind = -1;   // in order of admission
    int64_t target = 0;                 // tokens to be computed before the next is sampled
    int64_t computed = 0;               // at `joined`, where it decodes
    int64_t joined = 0;                 // the decode step before which it began to decode
    int64_t blocks = 0;                 // held; as of `joined`, where it decodes
    int64_t in_stream = 0, in_own = 0;  // of them, found or to be found again by their content
    double joined_s = 0;
    uint32_t life = 0;  // told apart from those that had the slot before
    bool decodes = false, follows = false;
  };

  Batch(const BatchConfig& config, std::vector<Record>& records);

  const BatchConfig& config() const { return config_; }
  const BlockCache& cache() const { return cache_; }
  const Record& record(int32_t request) const { return at(request); }
  const Live& live(int32_t slot) const { return live_[static_cast<std::size_t>(slot)]; }
  int64_t running() const { return decodes_ + static_cast<int64_t>(prefilling_.size()); }
  int64_t decodes() const { return decodes_; }                // that a step computes
  int64_t ended() const { return ended_; }                    // of them, kept on
  int64_t decode_context() const { return decode_context_; }  // their cached tokens, in all
  const std::vector<int32_t>& prefilling() const { return prefilling_; }
  int32_t last() const { return tail_; }
  int32_t before(int32_t slot) const { return live(slot).before; }
  bool idle() const { return running() == 0; }

  std::deque<int32_t> waiting;  // in the order that the scheduler keeps

  // Leading tokens of a waiting request that are in the cache; its last token never counts.
  int64_t found(int32_t request) const;
  // Blocks out of the free ones that admitting it takes, for `tokens` beyond those found.
  int64_t admission_blocks(int32_t request, int64_t found, int64_t tokens) const;
  // Whether it could run alone on an empty replica.
  bool ever_fits(int32_t request) const;
  // Takes the front of `waiting` into the running ones; they go on with prefill().
  int32_t admit(int64_t found, double now_s);
  // Takes the blocks for `tokens` more of a prompt; the step does the rest (computed()).
  int64_t blocks_for(int32_t slot, int64_t tokens) const;
  void prefill(int32_t slot, int64_t tokens);

  // Blocks that a decode step of all takes; of one sequence, 0 or 1.
  int64_t decode_blocks() const;
  int64_t decode_blocks(int32_t slot) const;
  // Takes them now, ahead of those that the same step admits, and not when it ends.
  void take_decode_blocks();
  // Takes it out of the running ones, to be computed again; the caller puts it in `waiting`.
  int32_t preempt(int32_t slot);

  // ---- what a step did
  void decode_step(double end_s);  // every decoding sequence has a token more
  // A chunk is computed; true where its last token was sampled from, and so another one is there.
  bool computed(const Chunk& c, double end_s);
  // Ends those whose last token is there; their requests are appended to `out`.
  void collect(double end_s, std::vector<int32_t>& out);
  int64_t steps_to_end() const;  // decode steps until the next sequence ends

  // Weighted times between tokens of the last decode step are told to this.
  struct Gap {
    double since_s;
    int64_t count;
  };
  // Of those that decode: since when they wait for their next token.
  const std::vector<Gap>& joined_since() const { return fresh_; }
  double last_decode_s() const { return last_decode_s_; }

 private:
  struct End {
    int64_t step;
    int32_t slot;
    uint32_t life;
    bool operator>(const End& o) const { return step > o.step; }
  };
  Record& at(int32_t request) { return records_[static_cast<std::size_t>(request)]; }
  const Record& at(int32_t request) const { return records_[static_cast<std::size_t>(request)]; }
  Live& live_at(int32_t slot) { return live_[static_cast<std::size_t>(slot)]; }
  int64_t blocks_of(int64_t tokens) const;
  int64_t stream_limit(const Record& r) const;  // blocks that a stream may hold of it
  std::size_t phase(const Live& l) const;
  int64_t computed_now(const Live& l) const;
  int64_t blocks_now(const Live& l) const;
  void begin_decode(int32_t slot, double now_s);
  void stop_decode(int32_t slot);
  void follow_stream(Live& l, int64_t tokens);
  void release(int32_t slot, bool preempted);
  void finish(int32_t slot, double end_s, std::vector<int32_t>& out);

  BatchConfig config_;
  std::vector<Record>& records_;
  BlockCache cache_;
  std::vector<Live> live_;
  std::vector<int32_t> spare_;
  int32_t head_ = -1, tail_ = -1;
  std::vector<int32_t> prefilling_;
  int64_t decodes_ = 0, ended_ = 0, decode_context_ = 0, step_ = 0;
  std::vector<int64_t> phases_;  // sequences by the place in a block that they are at
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
  std::vector<int32_t> kept_;         // ended, with keep_ended
  std::vector<int32_t> sampled_out_;  // ended with their first token
  std::vector<Gap> fresh_;
  bool decode_blocks_taken_ = false;
  double last_decode_s_ = 0;
};

}  // namespace ridge::sim
