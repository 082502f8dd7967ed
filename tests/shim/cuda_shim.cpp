#include "tests/shim/cuda_shim.h"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <exception>
#include <random>
#include <string>
#include <vector>

#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace {
// The tail shows writes past the end.
alignas(128) unsigned char dynamic_shared[shim::kMaxSharedBytes + 1024];
}  // namespace

namespace ridge::cuda {
unsigned char* dynamic_shared_bytes();
unsigned char* dynamic_shared_bytes() { return dynamic_shared; }
}  // namespace ridge::cuda

namespace shim {

Position now;

namespace {

using boost::context::fiber;
constexpr std::size_t kStackBytes = 128 * 1024;

enum class State { kReady, kAtBlockBarrier, kAtWarpOperation, kDone };

struct Thread {
  fiber self;
  State state = State::kReady;
  uint3 index{};
  Site site{};
  WarpRequest* request = nullptr;
  bool predicate = false;
};

struct Ready {
  uint64_t priority;
  unsigned thread;
  friend bool operator<(const Ready& a, const Ready& b) { return a.priority < b.priority; }
};

// Where nothing orders two threads, either may be far ahead. A warp that always goes first finds
// what the others have not written yet, or overwrites what they have not read yet.
enum class Order { kWarpsRunAhead, kAnyThread };

std::string where(const Site& s) {
  return std::string(s.file_name()) + ":" + std::to_string(s.line());
}

class Block {
 public:
  Block(const Shape& shape, uint3 index, const std::function<void()>& body, std::mt19937_64& rng,
        Order order)
      : shape_(shape), index_(index), body_(body), rng_(rng), order_(order) {
    const unsigned count = shape.block.x * shape.block.y * shape.block.z;
    threads_.resize(count);
    alive_ = count;
    for (unsigned t = 0; t < count; ++t) {
      threads_[t].index = {t % shape.block.x, t / shape.block.x % shape.block.y,
                           t / (shape.block.x * shape.block.y)};
      threads_[t].self =
          fiber(std::allocator_arg, boost::context::fixedsize_stack(kStackBytes),
                [this, t](fiber&& scheduler) { return run_thread(t, std::move(scheduler)); });
    }
    warp_priorities_.resize((count + 31) / 32);
    if (order == Order::kWarpsRunAhead)
      for (uint64_t& p : warp_priorities_) p = rng_() & 0xffffffff00000000u;
    for (unsigned t = 0; t < count; ++t) wake(t);
  }

  void run() {
    while (alive_ > 0) {
      if (ready_.empty()) throw Failure(stuck());
      std::pop_heap(ready_.begin(), ready_.end());
      running_ = ready_.back().thread;
      ready_.pop_back();
      now = {threads_[running_].index, index_, shape_.block, shape_.grid};
      threads_[running_].self = std::move(threads_[running_].self).resume();
      if (error_) std::rethrow_exception(error_);
    }
  }

  unsigned running() const { return running_; }
  unsigned last_count() const { return last_count_; }

  void at_block_barrier(bool predicate, Site site) {
    Thread& t = threads_[running_];
    t.state = State::kAtBlockBarrier;
    t.site = site;
    t.predicate = predicate;
    if (waiting_ == 0) barrier_ = site;
    if (site.line() != barrier_.line() || std::strcmp(site.file_name(), barrier_.file_name()) != 0)
      throw Failure("threads of a block wait at different barriers: " + where(barrier_) + " and " +
                    where(site));
    ++waiting_;
    release_block();
    yield();
  }

  void at_warp_operation(WarpRequest& request, Site site) {
    Thread& t = threads_[running_];
    if (!(request.mask >> running_ % 32 & 1u))
      throw Failure(std::string(request.operation) + ": the calling lane is not in its mask, " +
                    where(site));
    t.state = State::kAtWarpOperation;
    t.site = site;
    t.request = &request;
    const unsigned first = running_ / 32 * 32;
    complete(first, lanes_of(first), request);
    yield();
  }

 private:
  fiber run_thread(unsigned t, fiber&& scheduler) {
    scheduler_ = std::move(scheduler);
    try {
      body_();
    } catch (const boost::context::detail::forced_unwind&) {
      throw;
    } catch (...) {
      error_ = std::current_exception();
    }
    threads_[t].state = State::kDone;
    --alive_;
    if (!error_) {
      try {
        release_block();
        release_warp(t / 32 * 32);
      } catch (...) {
        error_ = std::current_exception();
      }
    }
    return std::move(scheduler_);
  }

  void yield() { scheduler_ = std::move(scheduler_).resume(); }

  void wake(unsigned t) {
    threads_[t].state = State::kReady;
    const uint64_t random = order_ == Order::kAnyThread ? rng_() : rng_() >> 32;
    ready_.push_back({warp_priorities_[t / 32] | random, t});
    std::push_heap(ready_.begin(), ready_.end());
  }

  void release_block() {
    if (waiting_ == 0 || waiting_ < alive_) return;
    waiting_ = 0;
    last_count_ = 0;
    for (unsigned t = 0; t < threads_.size(); ++t)
      if (threads_[t].state == State::kAtBlockBarrier) {
        last_count_ += threads_[t].predicate;
        wake(t);
      }
  }

  unsigned lanes_of(unsigned first) const {
    return std::min(32u, static_cast<unsigned>(threads_.size()) - first);
  }

  // Completes every operation of a warp whose live lanes have all arrived.
  void release_warp(unsigned first) {
    for (unsigned l = 0; l < lanes_of(first); ++l) {
      const Thread& t = threads_[first + l];
      if (t.state == State::kAtWarpOperation) complete(first, lanes_of(first), *t.request);
    }
  }

  void complete(unsigned first, unsigned lanes, const WarpRequest& wanted) {
    WarpRequest handed[32];
    unsigned present = 0, votes = 0;
    for (unsigned l = 0; l < lanes; ++l) {
      const Thread& t = threads_[first + l];
      if (!(wanted.mask >> l & 1u) || t.state == State::kDone) continue;
      if (t.state != State::kAtWarpOperation) return;
      if (t.request->mask != wanted.mask ||
          std::strcmp(t.request->operation, wanted.operation) != 0)
        throw Failure(std::string("lanes of a warp are in different operations: ") +
                      wanted.operation + " and " + t.request->operation + ", " + where(t.site));
      handed[l] = *t.request;
      present |= 1u << l;
      votes |= static_cast<unsigned>(t.request->predicate) << l;
    }
    for (unsigned l = 0; l < lanes; ++l) {
      if (!(present >> l & 1u)) continue;
      WarpRequest& r = *threads_[first + l].request;
      r.ballot = votes;
      const unsigned from = r.source;
      if (from < 32 && present >> from & 1u)
        std::memcpy(r.value, handed[from].value, kMaxValueBytes);
      else
        std::memset(r.value, 0xFF, kMaxValueBytes);
      wake(first + l);
    }
  }

  std::string stuck() const {
    std::string text = "no thread can go on:";
    int shown = 0;
    for (unsigned i = 0; i < threads_.size() && shown < 4; ++i) {
      const Thread& t = threads_[i];
      if (i > 0 && t.state == threads_[i - 1].state) continue;
      ++shown;
      text += " thread " + std::to_string(i);
      if (t.state == State::kDone)
        text += " returned;";
      else
        text += std::string(" waits in ") +
                (t.state == State::kAtWarpOperation ? t.request->operation : "__syncthreads") +
                ", " + where(t.site) + ";";
    }
    return text;
  }

  const Shape& shape_;
  uint3 index_;
  const std::function<void()>& body_;
  std::mt19937_64& rng_;
  Order order_;
  fiber scheduler_;
  std::vector<Thread> threads_;
  std::vector<Ready> ready_;  // a heap
  std::vector<uint64_t> warp_priorities_;
  std::exception_ptr error_;
  Site barrier_{};
  unsigned alive_ = 0, waiting_ = 0, running_ = 0, last_count_ = 0;
};

Block* block = nullptr;

// All-ones from byte `first` to `last`, or Failure.
void check_untouched(std::size_t first, std::size_t last, std::size_t allowed) {
  for (std::size_t i = first; i < last; ++i)
    if (dynamic_shared[i] != 0xFF)
      throw Failure("dynamic shared memory was written at byte " + std::to_string(i) + " of " +
                    std::to_string(allowed));
}

void check_limits(const Shape& shape) {
  const uint64_t threads = uint64_t{shape.block.x} * shape.block.y * shape.block.z;
  if (threads < 1 || threads > 1024 || shape.block.z > 64)
    throw Failure("a block of " + std::to_string(threads) + " threads");
  if (shape.grid.x < 1 || shape.grid.y < 1 || shape.grid.z < 1 || shape.grid.x > 0x7fffffffu ||
      shape.grid.y > 65535 || shape.grid.z > 65535)
    throw Failure("the grid is outside CUDA's limits");
  if (shape.shared_bytes > kMaxSharedBytes) throw Failure("too much shared memory");
}

}  // namespace

unsigned lane() { return block->running() % 32; }
void sync_block(Site site) { block->at_block_barrier(false, site); }
void sync_warp(WarpRequest& request, Site site) { block->at_warp_operation(request, site); }
unsigned sync_block_count(bool predicate, Site site) {
  block->at_block_barrier(predicate, site);
  return block->last_count();
}

void run(const Shape& shape, const std::function<void()>& thread) {
  check_limits(shape);
  std::mt19937_64 rng(shape.seed);
  auto& shared = dynamic_shared;
  std::memset(shared, 0xFF, sizeof shared);
  for (unsigned z = 0; z < shape.grid.z; ++z)
    for (unsigned y = 0; y < shape.grid.y; ++y)
      for (unsigned x = 0; x < shape.grid.x; ++x) {
        std::memset(shared, 0xFF, shape.shared_bytes);
        Block b(shape, {x, y, z}, thread, rng,
                (x + y + z) % 2 == 0 ? Order::kWarpsRunAhead : Order::kAnyThread);
        block = &b;
        b.run();
        check_untouched(shape.shared_bytes, shape.shared_bytes + 256, shape.shared_bytes);
      }
  check_untouched(shape.shared_bytes, sizeof shared, shape.shared_bytes);
}

}  // namespace shim
