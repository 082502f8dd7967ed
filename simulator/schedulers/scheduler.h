#pragma once
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/schedulers/batch.h"

namespace ridge::sim {

enum class SchedulerKind {
  kStatic,
  kDynamic,
  kFasterTransformer,
  kOrca,
  kVllmV0,
  kVllmV1,
  kSarathi
};
enum class Policy { kFcfs, kPriority };

struct SchedulerConfig {
  SchedulerKind kind = SchedulerKind::kVllmV1;
  int64_t max_sequences = 256;  // that run at once
  int64_t token_budget = 2048;  // new tokens of a step at most: vLLM v0, v1, Sarathi
  bool chunked_prefill = true;  // vLLM v1: a prompt may be cut to what the budget leaves
  Policy policy = Policy::kFcfs;
  double max_wait_s = 0.1;  // dynamic: of the oldest request, until a batch that is not full goes
  double watermark = -1;    // share of blocks kept free at admission; −1: the scheduler's own
};

// What keeps a request that waits from running.
enum class Blocked { kNothing, kBlocks, kSequences, kBudget };

// The next step of a replica. With nothing in it the replica waits: for an arrival, or `wake_s`.
struct Plan {
  bool decode = false;  // all sequences that decode get a token
  std::vector<Batch::Chunk> chunks;
  double wake_s = std::numeric_limits<double>::infinity();
  int64_t spare_blocks = 0;  // that must stay free for another decode step of the same sequences
  int64_t preempted = 0;
  Blocked blocked = Blocked::kNothing;

  bool empty() const { return !decode && chunks.empty(); }
};

// Decides what the next step holds. Between two steps of decoding alone that end no sequence, and
// with no arrival between, its decision is the same: the replica does not ask again.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerConfig& config) : config_(config) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;

  virtual void plan(Batch& batch, double now_s, Plan& out) = 0;
  // A request that came.
  virtual void arrive(Batch& batch, int32_t request);
  // Whether it can ever run on that replica.
  virtual bool takes(const Batch& batch, int32_t request) const;

 protected:
  int64_t watermark_blocks(const Batch& batch, double usual) const;

  SchedulerConfig config_;
};

// Throws BadInput that names the key, as check() does.
std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config);
void check(const SchedulerConfig& config);

// How a scheduler of this kind uses the cache.
Allocation allocation_of(SchedulerKind kind);
bool keeps_ended(SchedulerKind kind);
bool has_prefix_cache(SchedulerKind kind);

std::string_view name(SchedulerKind kind);               // "vllm_v1"
SchedulerKind parse_scheduler(const std::string& word);  // throws BadInput with the nearest
std::vector<std::string> scheduler_names();

}  // namespace ridge::sim
