#include "predictor/lowering/attention.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

// Limits of the operators' axes, and as many tokens as any kernel of the largest model takes.
constexpr int64_t kMostTokens = 1 << 22, kMostSequences = 1 << 16, kMostContext = 1 << 22,
                  kMostSamples = 1 << 18;

double real(int64_t n) { return static_cast<double>(n); }

// Pairs of a new token and a key that it sees: the one at position p sees min(p + 1, window).
double visible_pairs(int64_t tokens, int64_t past, int64_t window) {
  const int64_t growing = std::clamp<int64_t>(window - past, 0, tokens);  // see all before them
  return real(growing) * (real(past) + (real(growing) + 1) / 2) +
         real(tokens - growing) * real(window);
}

struct AttentionLayer {
  int64_t heads, kv_heads, head_dim;
  Dtype dtype;
  double cache_bytes;  // of an element
  int64_t window;      // 0: none
};

// `work` of the call, with the cache's own bytes for keys and values.
Work with_cache(Work work, const AttentionLayer& a, int64_t batch, int64_t keys) {
  const double elements = 2 * real(batch) * real(a.kv_heads) * real(keys) * real(a.head_dim);
  work.bytes_read +=
      elements * (a.cache_bytes - real(static_cast<int64_t>(bytes_per_element(a.dtype))));
  return work;
}

bool has_other_cache(const AttentionLayer& a) {
  return a.cache_bytes != static_cast<double>(bytes_per_element(a.dtype));
}

Kernel decode(const AttentionLayer& a, const Sequences& s, int64_t batch) {
  static const OpSpec& spec = find_operator("attention_decode");
  const int64_t keys = a.window > 0 ? std::min(s.past + 1, a.window) : s.past + 1;
  Kernel k{.call = {.op = spec.name,
                    .dims = {batch, keys, a.heads, a.kv_heads, a.head_dim},
                    .dtype = a.dtype},
           .role = Role::kDecodeAttention};
  if (has_other_cache(a)) k.work = with_cache(spec.work(k.call), a, batch, keys);
  return k;
}

Kernel prefill(const AttentionLayer& a, const Sequences& s, int64_t batch) {
  static const OpSpec& spec = find_operator("attention_prefill");
  const int64_t context = s.past + s.tokens;
  // The first new token is the one that looks back farthest.
  const int64_t keys = a.window > 0 ? std::min(context, s.tokens + a.window - 1) : context;
  Kernel k{.call = {.op = spec.name,
                    .dims = {batch, s.tokens, keys, a.heads, a.kv_heads, a.head_dim},
                    .dtype = a.dtype},
           .role = Role::kPrefillAttention};
  const bool narrow = a.window > 0 && context > a.window;
  if (!narrow && !has_other_cache(a)) return k;
  Work work = with_cache(spec.work(k.call), a, batch, keys);
  if (narrow)
    work.flops = 4 * real(a.head_dim) * real(a.heads) * real(batch) *
                 visible_pairs(s.tokens, s.past, a.window);
  k.work = work;
  return k;
}

}  // namespace

StepShape shape_of(const Model& m, const Step& step) {
  if (step.empty()) throw BadInput("a step without sequences: there is nothing to run");
  StepShape shape;
  for (const Sequences& s : step) {
    if (s.count < 1 || s.tokens < 1 || s.past < 0)
      throw BadInput(
          fmt::format("a step of {} sequences of {} new tokens behind {}: the first two "
                      "must be at least 1, the third at least 0",
                      s.count, s.tokens, s.past));
    if (s.count > kMostSequences || s.tokens > kMostContext || s.past > kMostContext - s.tokens)
      throw BadInput(
          fmt::format("a step of {} sequences of {} new tokens behind {}: at most {} "
                      "sequences, and {} tokens of context",
                      s.count, s.tokens, s.past, kMostSequences, kMostContext));
    if (m.max_positions > 0 && s.past + s.tokens > m.max_positions)
      throw BadInput(fmt::format("{}: a context of {} tokens is beyond the model's {}", m.name,
                                 s.past + s.tokens, m.max_positions));
    shape.tokens += s.count * s.tokens;
    (is_decode(s) ? shape.decodes : shape.prefills) += s.count;
    if (s.samples_all)
      shape.samples += s.count * s.tokens;
    else if (s.samples)
      shape.samples += s.count;
    if (shape.tokens > kMostTokens || shape.prefills + shape.decodes > kMostSequences ||
        shape.samples > kMostSamples)
      throw BadInput(
          fmt::format("a step has more than {} tokens, {} sequences or {} samples: split "
                      "it",
                      kMostTokens, kMostSequences, kMostSamples));
  }
  return shape;
}

void add_attention(const Model& m, const Shard& shard, const Stage& stage,
                   const Precision& precision, const Step& step, const StepShape& shape,
                   std::vector<Kernel>& out) {
  const auto add = [&](const Sequences& s, int64_t window, int64_t layers) {
    if (layers == 0) return;
    const AttentionLayer a{
        .heads = shard.heads,
        .kv_heads = shard.kv_heads,
        .head_dim = m.head_dim,
        .dtype = precision.dtype,
        .cache_bytes = static_cast<double>(bytes_per_element(precision.kv_cache)),
        .window = window};
    const int64_t batch = is_decode(s) ? shape.decodes : shape.prefills;
    out.push_back(is_decode(s) ? decode(a, s, batch) : prefill(a, s, batch));
    out.back().count = real(layers) * real(s.count) / real(batch);
  };
  for (const Sequences& s : step) {
    const bool narrow = m.window > 0 && s.past + s.tokens > m.window;
    const int64_t windowed = narrow ? stage.windowed : 0;
    add(s, 0, stage.layers - windowed);
    add(s, m.window, windowed);
  }
}

}  // namespace ridge
