#include "simulator/schedulers/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/core/error.h"
#include "predictor/models/nearest_names.h"
#include "simulator/schedulers/kinds.h"

namespace ridge::sim {
namespace {

using enum SchedulerKind;

constexpr std::array<std::pair<SchedulerKind, std::string_view>, 7> kNames{{
    {kVllmV1, "vllm_v1"},
    {kVllmV0, "vllm_v0"},
    {kSarathi, "sarathi"},
    {kOrca, "orca"},
    {kFasterTransformer, "faster_transformer"},
    {kStatic, "static"},
    {kDynamic, "dynamic"},
}};

}  // namespace

void Scheduler::arrive(Batch& batch, int32_t request) { batch.waiting.push_back(request); }

bool Scheduler::takes(const Batch& batch, int32_t request) const {
  return batch.ever_fits(request);
}

int64_t Scheduler::watermark_blocks(const Batch& batch, double usual) const {
  const double share = config_.watermark >= 0 ? config_.watermark : usual;
  return static_cast<int64_t>(share * static_cast<double>(batch.cache().total()));
}

void check(const SchedulerConfig& c) {
  const auto fail = [](const std::string& why) { throw BadInput("scheduler: " + why); };
  if (c.max_sequences < 1)
    fail(fmt::format("max_sequences={} must be at least 1", c.max_sequences));
  if (c.token_budget < 1) fail(fmt::format("token_budget={} must be at least 1", c.token_budget));
  const bool budgeted = c.kind == kVllmV0 || c.kind == kVllmV1;
  if (budgeted && c.token_budget < c.max_sequences)
    fail(
        fmt::format("token_budget={} is below max_sequences={}: a step of all of them decoding "
                    "would not fit (vLLM refuses it, too); raise the one or lower the other",
                    c.token_budget, c.max_sequences));
  if (!(c.max_wait_s >= 0) || !std::isfinite(c.max_wait_s))
    fail(fmt::format("max_wait_s={} must not be negative", c.max_wait_s));
  if (!(c.watermark < 1)) fail(fmt::format("watermark={} must be below 1", c.watermark));
  if (c.policy == Policy::kPriority && c.kind != kVllmV1)
    fail(fmt::format("policy priority is vllm_v1's alone, and this is {}", name(c.kind)));
}

std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config) {
  check(config);
  switch (config.kind) {
    case kVllmV1:
    case kSarathi:
      return make_chunked(config);
    case kVllmV0:
      return make_vllm_v0(config);
    case kOrca:
      return make_orca(config);
    default:
      return make_whole_batch(config);
  }
}

Allocation allocation_of(SchedulerKind kind) {
  switch (kind) {
    case kVllmV1:
      return Allocation::kAsComputed;
    case kVllmV0:
    case kSarathi:
      return Allocation::kWholePrompt;
    default:
      return Allocation::kReserved;
  }
}

bool keeps_ended(SchedulerKind kind) { return kind == kStatic || kind == kDynamic; }

bool has_prefix_cache(SchedulerKind kind) { return kind == kVllmV1; }

std::string_view name(SchedulerKind kind) {
  for (const auto& [k, word] : kNames)
    if (k == kind) return word;
  return "";
}

SchedulerKind parse_scheduler(const std::string& word) {
  for (const auto& [k, known] : kNames)
    if (plain_name(known) == plain_name(word)) return k;
  throw BadInput(fmt::format("scheduler '{}' is not known; nearest: {}", word,
                             fmt::join(nearest_names(word, scheduler_names(), 3), ", ")));
}

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const auto& [k, word] : kNames) names.emplace_back(word);
  return names;
}

}  // namespace ridge::sim
