#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/attention_decode/attention_decode.h"
#include "kernels/attention_decode/tile.h"
#include "kernels/cpu/context.h"

// All keys of all (sequence, key head) pairs are one long range that is cut into equal parts, one a
// thread, so that a single sequence uses every core too. A thread keeps (largest score, sum,
// output) of the pairs it has keys of; those that two or more threads share are merged at the end.
// Each row of K and V is loaded from memory once for all query heads of its group.
namespace ridge::attention_decode {
namespace {

struct Task {
  Dims d;
  const float *q, *k, *v;
  float* o;
  int64_t cache_rows;      // of K and V between two caches
  const int32_t* lengths;  // keys of each sequence; null: the context
  int threads;

  int64_t group() const { return d.heads / d.kv_heads; }
  int64_t caches() const { return d.batch * d.kv_heads; }
  // largest[group], sum[group], output[group][head_dim]
  int64_t state_floats() const { return (group() * (2 + d.head_dim) + 15) / 16 * 16; }
  // two shared states, queries[group][head_dim], scores[group][kKeys]
  int64_t thread_floats() const { return 2 * state_floats() + group() * (d.head_dim + kKeys) + 16; }
};

struct State {
  float *largest, *sums, *output;
};

State state_at(const Task& t, float* base) {
  return {base, base + t.group(), base + 2 * t.group()};
}

// Scores become 2^(score − largest); places past `keys` become 0. The output is rescaled.
void exponentiate(const Task& t, float* scores, int64_t keys, State state) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  for (int64_t h = 0; h < t.group(); ++h) {
    float* row = scores + h * kKeys;
    std::fill(row + keys, row + kKeys, kLowest);
    Vec m = simd::broadcast(state.largest[h]);
    for (int j = 0; j < kKeys; j += kLanes) m = simd::maximum(m, simd::load(row + j));
    const float largest = simd::largest(m);
    const float rescale = simd::exp2_nonpositive(simd::broadcast(state.largest[h] - largest))[0];
    Vec total{};
    for (int j = 0; j < kKeys; j += kLanes) {
      const Vec p = simd::exp2_nonpositive(simd::load(row + j) - largest);
      simd::store(row + j, p);
      total += p;
    }
    std::fill(row + keys, row + kKeys, 0.0f);
    state.sums[h] = state.sums[h] * rescale + simd::sum(total);
    if (largest > state.largest[h])
      for (int64_t i = 0; i < t.d.head_dim; ++i) state.output[h * t.d.head_dim + i] *= rescale;
    state.largest[h] = largest;
  }
}

// Attends the group's queries to keys [first, last) of one cache.
void attend(const Task& t, int64_t cache, int64_t first, int64_t last, State state,
            float* scratch) {
  const Dims& d = t.d;
  float *queries = scratch, *scores = scratch + t.group() * d.head_dim;
  const float scale =
      static_cast<float>(std::log2(std::exp(1.0)) / std::sqrt(static_cast<double>(d.head_dim)));
  const int64_t q_floats = t.group() * d.head_dim;
  for (int64_t i = 0; i < q_floats; ++i) queries[i] = t.q[cache * q_floats + i] * scale;
  std::fill_n(state.largest, t.group(), std::numeric_limits<float>::lowest());
  std::fill_n(state.sums, t.group(), 0.0f);
  std::fill_n(state.output, q_floats, 0.0f);
  for (int64_t j = first; j < last; j += kKeys) {
    const int64_t keys = std::min<int64_t>(kKeys, last - j);
    const int64_t offset = (cache * t.cache_rows + j) * d.head_dim;
    score(queries, t.k + offset, t.group(), keys, d.head_dim, scores);
    exponentiate(t, scores, keys, state);
    accumulate(
        {.scores = scores, .v = t.v + offset, .first = true, .keys = keys, .head_dim = d.head_dim},
        t.group(), state.output);
  }
}

// `into` becomes what it would be had it seen the keys of `from` too.
void merge(const Task& t, State into, State from) {
  const int64_t head_dim = t.d.head_dim;
  for (int64_t h = 0; h < t.group(); ++h) {
    const float largest = std::max(into.largest[h], from.largest[h]);
    const float a = std::exp2(into.largest[h] - largest), b = std::exp2(from.largest[h] - largest);
    into.largest[h] = largest;
    into.sums[h] = into.sums[h] * a + from.sums[h] * b;
    for (int64_t i = h * head_dim; i < (h + 1) * head_dim; ++i)
      into.output[i] = into.output[i] * a + from.output[i] * b;
  }
}

void write(const Task& t, int64_t cache, State state) {
  for (int64_t h = 0; h < t.group(); ++h) {
    const float factor = 1.0f / state.sums[h];
    float* o = t.o + (cache * t.group() + h) * t.d.head_dim;
    for (int64_t i = 0; i < t.d.head_dim; ++i) o[i] = state.output[h * t.d.head_dim + i] * factor;
  }
}

// Where the keys of each cache begin, counted through all caches, and last where they end.
using Starts = std::vector<int64_t>;

void count_keys(const Task& t, Starts& starts) {
  for (int64_t cache = 0; cache < t.caches(); ++cache) {
    const auto i = static_cast<std::size_t>(cache);
    const int64_t keys = t.lengths ? t.lengths[cache / t.d.kv_heads] : t.d.context;
    starts[i + 1] = starts[i] + keys;
  }
}

int64_t cache_of(const Starts& starts, int64_t key) {
  return std::upper_bound(starts.begin(), starts.end(), key) - starts.begin() - 1;
}

// The keys [begin, end) of thread `thread`.
struct Part {
  int64_t begin, end;
};
Part part(const Task& t, const Starts& starts, int64_t thread) {
  const int64_t keys = starts.back();
  return {thread * keys / t.threads, (thread + 1) * keys / t.threads};
}

// Slot 0 keeps a thread's state of the cache that its part begins in the middle of, slot 1 that of
// the cache that its part begins but does not end; whole ones pass through slot 1 before it.
void run_thread(const Task& t, const Starts& starts, int64_t thread, float* scratch) {
  const auto [begin, end] = part(t, starts, thread);
  float* own = scratch + thread * t.thread_floats();
  for (int64_t at = begin, cache = cache_of(starts, begin); at < end; ++cache) {
    const int64_t start = starts[static_cast<std::size_t>(cache)],
                  stop = starts[static_cast<std::size_t>(cache) + 1];
    const int64_t first = at - start, last = std::min(stop, end) - start;
    const State state = state_at(t, own + (first == 0 ? t.state_floats() : 0));
    attend(t, cache, first, last, state, own + 2 * t.state_floats());
    if (first == 0 && last == stop - start) write(t, cache, state);
    at += last - first;
  }
}

// Merges the caches that more than one thread has keys of.
void merge_shared(const Task& t, const Starts& starts, float* scratch) {
  const auto slot = [&](int64_t thread, int64_t i) {
    return state_at(t, scratch + thread * t.thread_floats() + i * t.state_floats());
  };
  for (int64_t thread = 1, owner = 0; thread < t.threads; ++thread) {
    const auto [begin, end] = part(t, starts, thread);
    const int64_t cache = cache_of(starts, begin);
    const int64_t start = starts[static_cast<std::size_t>(cache)];
    if (begin == end || begin == start) {
      if (begin < end) owner = thread;
      continue;
    }
    const bool starts_here = part(t, starts, owner).begin <= start;
    const State into = slot(owner, starts_here ? 1 : 0);
    merge(t, into, slot(thread, 0));
    if (end >= starts[static_cast<std::size_t>(cache) + 1]) {
      write(t, cache, into);
      owner = thread;
    }
  }
}

void run(const Task& t, Starts& starts, float* scratch) {
  if (t.lengths) count_keys(t, starts);
#pragma omp parallel for schedule(static, 1)
  for (int thread = 0; thread < t.threads; ++thread) run_thread(t, starts, thread, scratch);
  merge_shared(t, starts, scratch);
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "attention_decode";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const Task task{
        .d = dims(c),
        .q = static_cast<const float*>(a.inputs[0]),
        .k = static_cast<const float*>(a.inputs[1]),
        .v = static_cast<const float*>(a.inputs[2]),
        .o = static_cast<float*>(a.outputs[0]),
        .cache_rows = cache_rows(a, dims(c).context),
        .lengths = a.lengths,
        .threads = context.threads,
    };
    simd::Scratch scratch(task.threads * task.thread_floats());
    Starts starts(static_cast<std::size_t>(task.caches()) + 1);
    if (!task.lengths) count_keys(task, starts);
    return make_launch([task, starts = std::move(starts), scratch = std::move(scratch)]() mutable {
      run(task, starts, scratch.data());
    });
  };
  return {own};
}

}  // namespace ridge::attention_decode
