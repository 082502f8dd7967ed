#include "simulator/time/predicted_time.h"

#include <algorithm>
#include <cmath>

namespace ridge::sim {
namespace {

constexpr Grid kTokens{5}, kSequences{4}, kContexts{3}, kParts{3}, kPrompts{2};
constexpr int64_t kAnyContext = 1 << 21;  // where the model's config names no longest one
constexpr int64_t kMicroBatchTokens = 256;

double real(int64_t n) { return static_cast<double>(n); }

void add(StageCosts& sum, const StageCosts& more, double weight) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].seconds += weight * more[i].seconds;
    sum[i].flops += weight * more[i].flops;
    sum[i].bytes += weight * more[i].bytes;
  }
}

}  // namespace

PredictedTime::PredictedTime(const TableSet& tables, Deployment d)
    : tables_(tables),
      deployment_(std::move(d)),
      pricer_(tables_, deployment_),
      times_(deployment_.engine.times_on(tables.device().name)),
      longest_(deployment_.model.max_positions > 0 ? deployment_.model.max_positions : kAnyContext),
      sum_(pricer_.body(1)) {}

template <class Ask>
const StageCosts& PredictedTime::point(Line& line, int64_t index, const Ask& ask) {
  const auto at = static_cast<std::size_t>(index);
  if (line.size() <= at) line.resize(at + 1);
  if (line[at].empty()) {
    line[at] = ask(index);
    ++asked_;
  }
  return line[at];
}

template <class Ask>
void PredictedTime::add(Line& line, const Axis& axis, double x, double weight, const Ask& ask) {
  x = std::min(x, real(axis.most));
  const Grid::Place p = axis.grid.place(x);
  const auto value = [&](int64_t index) {
    return ask(std::min(axis.grid.value(index), axis.most));
  };
  if (p.share <= 0) return sim::add(sum_, point(line, p.index, value), weight);
  // The point behind the last that may be asked is that last one.
  const double here = real(axis.grid.value(p.index));
  const double next = real(std::min(axis.grid.value(p.index + 1), axis.most));
  const double share = next > here ? (x - here) / (next - here) : 0;
  // Both first: growing the line may move what it holds.
  point(line, p.index + 1, value);
  sim::add(sum_, point(line, p.index, value), weight * (1 - share));
  sim::add(sum_, line[static_cast<std::size_t>(p.index + 1)], weight * share);
}

void PredictedTime::add_decodes(double sequences, double context, double weight) {
  const Grid::Place p = kSequences.place(sequences);
  const auto at = [&](int64_t index, double share) {
    if (share <= 0) return;
    const auto row = static_cast<std::size_t>(index);
    if (decodes_.size() <= row) decodes_.resize(row + 1);
    const int64_t count = kSequences.value(index);
    add(decodes_[row], {kContexts, longest_ - 1}, context, weight * share,
        [&](int64_t past) { return pricer_.decode_attention(count, past); });
  };
  at(p.index, 1 - p.share);
  at(p.index + 1, p.share);
}

// A part of a launch of so many prompts that are alike; past contexts as lines, too.
void PredictedTime::add_prefill(int64_t prompts, const PrefillPart& part, double weight) {
  const int64_t count_at = kPrompts.index(prompts), count = kPrompts.value(count_at);
  const Grid::Place p = kParts.place(real(part.past));
  const auto at = [&](int64_t index, double share) {
    if (share <= 0) return;
    const int64_t past = std::min(kParts.value(index), longest_ - 2);
    // One token behind others would be a decode to the tables: the line begins at two.
    add(prefills_[(count_at << 32) + index], {kParts, longest_ - past}, real(part.tokens),
        weight * share / real(count), [&](int64_t tokens) {
          return pricer_.prefill_attention(count, past > 0 ? std::max<int64_t>(2, tokens) : tokens,
                                           past);
        });
  };
  at(p.index, 1 - p.share);
  at(p.index + 1, p.share);
}

double PredictedTime::host_s(const StepLoad& load) const {
  return times_.decode.per_step_s + times_.decode.per_sequence_s * real(load.sequences()) +
         times_.per_cached_token_s * real(load.decode_context) +
         (deployment_.parallel.tensor > 1 ? times_.tensor_step_s : 0);
}

StepCost PredictedTime::cost(const StepLoad& load) {
  for (StageCost& c : sum_) c = {};
  const int64_t tokens = load.tokens();
  const int64_t parts = std::max(load.sequences(), tokens / kMicroBatchTokens);
  const double hands = real(std::min(deployment_.parallel.pipeline, std::max<int64_t>(1, parts)));
  add(body_, {kTokens, int64_t{1} << 40}, real(tokens) / hands, 1,
      [&](int64_t n) { return pricer_.body(std::max<int64_t>(1, n)); });
  if (load.samples > 0)
    add(head_, {kTokens, int64_t{1} << 40}, std::max(1.0, real(load.samples) / hands), 1,
        [&](int64_t n) { return pricer_.head(std::max<int64_t>(1, n)); });
  if (load.decodes > 0)
    add_decodes(std::max(1.0, real(load.decodes) / hands),
                real(load.decode_context) / real(load.decodes), 1);
  const auto prompts = static_cast<int64_t>(load.prefills.size());
  for (const PrefillPart& p : load.prefills) add_prefill(prompts, p, 1 / hands);
  double all = 0, slowest = 0;
  StepCost c;
  for (const StageCost& s : sum_) {
    all += s.seconds;
    slowest = std::max(slowest, s.seconds);
    c.flops += s.flops * hands;
    c.bytes += s.bytes * hands;
  }
  const double stages = static_cast<double>(sum_.size());
  c.flops /= stages;
  c.bytes /= stages;
  c.seconds = std::max(all, hands * slowest);
  if (load.prefills.empty()) c.seconds = std::max(c.seconds, times_.decode_floor_s);
  c.seconds = (c.seconds + host_s(load)) * factor_;
  return c;
}

}  // namespace ridge::sim
