#include "simulator/cluster/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "kernels/core/error.h"

namespace ridge::sim {
namespace {

constexpr double kIdle = std::numeric_limits<double>::infinity();
constexpr int64_t kMostReplicas = 4096;
constexpr int kWatchEvery = 4096;

using Replicas = std::vector<std::unique_ptr<Replica>>;

// A prompt whose cache is on its way.
struct Transfer {
  double time_s;
  int32_t request;
  bool operator>(const Transfer& o) const { return time_s > o.time_s; }
};

void check_disaggregated(SchedulerKind kind) {
  if (kind != SchedulerKind::kVllmV1 && kind != SchedulerKind::kSarathi)
    throw BadInput(
        fmt::format("disaggregation: scheduler {} computes whole prompts where it "
                    "decodes; use vllm_v1 or sarathi",
                    name(kind)));
}

class Simulation {
 public:
  Simulation(const WorkloadConfig& workload, const ClusterConfig& config, StepTime& time)
      : config_(config),
        workload_(workload),
        router_(config.routing, workload.seed ^ 0x726f757465U),
        prefill_router_(config.routing, workload.seed ^ 0x70726566U) {
    const int64_t prefills = config.disaggregation ? config.disaggregation->prefill_replicas : 0;
    if (config.replicas < 1 || config.replicas > kMostReplicas || prefills > kMostReplicas ||
        (config.disaggregation && prefills < 1))
      throw BadInput(fmt::format("cluster: replicas={} must be in [1, {}], and so those of prefill",
                                 config.replicas, kMostReplicas));
    if (config.disaggregation)
      for (const ReplicaConfig* c : {&config.replica, &config.disaggregation->prefill})
        check_disaggregated(c->scheduler.kind);
    add(prefill_, config.disaggregation ? config.disaggregation->prefill : ReplicaConfig{},
        prefills, run_.records, time);
    add(decode_, config.replica, config.replicas, config.disaggregation ? decodes_ : run_.records,
        time);
    // Only what ends makes something happen elsewhere.
    feedback_ = workload_.answers_ends() || config.disaggregation;
  }

  Outcome run(const Watch& watch) {
    int until_watch = kWatchEvery;
    while (true) {
      Replica* next = earliest();
      const double step_s = next ? next->next_s() : kIdle;
      const double arrival_s = workload_.next_time().value_or(kIdle);
      const double transfer_s = transfers_.empty() ? kIdle : transfers_.top().time_s;
      const double now_s = std::min({step_s, arrival_s, transfer_s});
      if (now_s >= config_.stop_s || now_s == kIdle) break;
      if (arrival_s <= now_s)
        arrive(workload_.pop());
      else if (transfer_s <= now_s)
        receive();
      else
        advance(*next, std::min(arrival_s, transfer_s));
      if (watch && --until_watch == 0) {
        until_watch = kWatchEvery;
        if (!watch(finished_, now_s)) break;
      }
    }
    return collected();
  }

 private:
  void add(Replicas& to, ReplicaConfig config, int64_t count, std::vector<Record>& records,
           StepTime& time) {
    config.stop_s = config_.stop_s;
    for (int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<int32_t>(all_.size());
      to.push_back(std::make_unique<Replica>(config, index, records, time));
      all_.push_back(to.back().get());
    }
  }

  Replica* earliest() const {
    Replica* best = nullptr;
    for (Replica* r : all_)
      if (r->next_s() < kIdle && (!best || r->next_s() < best->next_s())) best = r;
    return best;
  }

  void arrive(const Arrival& a) {
    if (run_.records.size() >= static_cast<std::size_t>(std::numeric_limits<int32_t>::max()))
      throw BadInput("simulation: more than 2^31 requests; split the workload");
    const auto request = static_cast<int32_t>(run_.records.size());
    run_.records.push_back({.arrival = a});
    Replicas& replicas = config_.disaggregation ? prefill_ : decode_;
    Router& router = config_.disaggregation ? prefill_router_ : router_;
    if (config_.disaggregation) {
      decodes_.push_back({.arrival = a});
      run_.records.back().arrival.output = 1;  // of its part there
    }
    replicas[router.choose(replicas, a, a.time_s)]->arrive(request, a.time_s);
    if (run_.records.back().rejected) rejected(request, a);
  }

  // A client that waits for the answer has one: that there is none.
  void rejected(int32_t request, const Arrival& a) {
    run_.records[static_cast<std::size_t>(request)].arrival = a;
    if (workload_.answers_ends()) workload_.finished(a, a.time_s);
  }

  void receive() {
    const Transfer t = transfers_.top();
    transfers_.pop();
    const Arrival& a = decodes_[static_cast<std::size_t>(t.request)].arrival;
    decode_[router_.choose(decode_, a, t.time_s)]->arrive(t.request, t.time_s);
  }

  void advance(Replica& replica, double horizon_s) {
    if (feedback_)
      for (const Replica* r : all_)
        if (r != &replica) horizon_s = std::min(horizon_s, r->next_s());
    ended_.clear();
    replica.advance(horizon_s, ended_);
    const bool prefilled = config_.disaggregation && is_prefill(replica);
    for (const int32_t request : ended_) prefilled ? send(request) : finish(request);
  }

  bool is_prefill(const Replica& r) const {
    return std::any_of(prefill_.begin(), prefill_.end(),
                       [&](const auto& p) { return p.get() == &r; });
  }

  void send(int32_t request) {
    const Record& done = run_.records[static_cast<std::size_t>(request)];
    Record& r = decodes_[static_cast<std::size_t>(request)];
    r.scheduled_s = done.scheduled_s;
    r.first_token_s = r.last_token_s = done.first_token_s;
    r.generated = 1;
    r.cached = done.cached;
    r.received = r.arrival.input;
    if (r.arrival.output == 1) {
      r.finish_s = done.finish_s;
      return finish(request);
    }
    transfers_.push({done.finish_s + config_.disaggregation->transfer_s(r.arrival.input), request});
  }

  void finish(int32_t request) {
    ++finished_;
    if (!workload_.answers_ends()) return;
    const Record& r =
        (config_.disaggregation ? decodes_ : run_.records)[static_cast<std::size_t>(request)];
    workload_.finished(r.arrival, r.finish_s);
  }

  Outcome collected() {
    if (config_.disaggregation) {
      // Both parts of a request as one; those that never decoded stay as they are.
      for (std::size_t i = 0; i < decodes_.size(); ++i) {
        Record& whole = run_.records[i];
        Record& r = decodes_[i];
        r.preemptions += whole.preemptions;
        r.rejected = r.rejected || whole.rejected;
        if (r.scheduled_s < 0) r.scheduled_s = whole.scheduled_s;
      }
      run_.records = std::move(decodes_);
    }
    for (const Replica* r : all_) {
      run_.totals.push_back(r->totals());
      run_.blocks_taken += r->batch().cache().taken();
      run_.blocks_returned += r->batch().cache().returned();
    }
    run_.end_s = 0;
    for (const Record& r : run_.records)
      run_.end_s = std::max({run_.end_s, r.finish_s, r.last_token_s});
    // A run that was stopped lasted until then, whatever ended last.
    if (config_.stop_s < kIdle) run_.end_s = std::max(run_.end_s, config_.stop_s);
    return std::move(run_);
  }

  ClusterConfig config_;
  Workload workload_;
  Router router_, prefill_router_;
  Outcome run_;
  std::vector<Record> decodes_;  // with disaggregation: the parts after the prompts
  Replicas prefill_, decode_;
  std::vector<Replica*> all_;
  std::priority_queue<Transfer, std::vector<Transfer>, std::greater<>> transfers_;
  std::vector<int32_t> ended_;
  int64_t finished_ = 0;
  bool feedback_ = false;
};

}  // namespace

Outcome simulate(const WorkloadConfig& workload, const ClusterConfig& config, StepTime& time,
                 const Watch& watch) {
  return Simulation(workload, config, time).run(watch);
}

}  // namespace ridge::sim
