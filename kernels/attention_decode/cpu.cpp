#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention_decode/attention_decode.h"
#include "kernels/attention_prefill/simd.h"
#include "kernels/cpu/context.h"

// All keys of all (sequence, key head) pairs are one long range that is cut into equal parts, one a
// thread, so that a single sequence uses every core too. A thread keeps (largest score, sum,
// output) of the pairs it has keys of; those that two or more threads share are merged at the end.
// Each row of K and V is loaded from memory once for all query heads of its group.
namespace ridge::attention_decode {
namespace {

using simd::kLanes;
using simd::Vec;

constexpr int kKeys = 64;  // a tile of K or V rows: 32 KiB at head_dim 128

struct Task {
  Dims d;
  const float *q, *k, *v;
  float* o;
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

// scores[h][j] = queries[h] · K[j] for kHeads heads and kRows rows of K.
template <int kHeads, int kRows>
void dot(const float* queries, const float* k, int64_t head_dim, float* scores) {
  simd::Vecs<kHeads * kRows> sums{};
  int64_t i = 0;
  for (; i + kLanes <= head_dim; i += kLanes)
    for (int j = 0; j < kRows; ++j) {
      const Vec row = simd::load(k + j * head_dim + i);
      for (int h = 0; h < kHeads; ++h)
        sums[h * kRows + j] += simd::load(queries + h * head_dim + i) * row;
    }
  if (i < head_dim)
    for (int j = 0; j < kRows; ++j) {
      const Vec row = simd::load_8(k + j * head_dim + i);
      for (int h = 0; h < kHeads; ++h)
        sums[h * kRows + j] += simd::load_8(queries + h * head_dim + i) * row;
    }
  for (int h = 0; h < kHeads; ++h)
    for (int j = 0; j < kRows; ++j) scores[h * kKeys + j] = simd::sum(sums[h * kRows + j]);
}

template <int kHeads>
void score_heads(const float* queries, const float* k, int64_t keys, int64_t head_dim,
                 float* scores) {
  int64_t j = 0;
  for (; j + 2 <= keys; j += 2) dot<kHeads, 2>(queries, k + j * head_dim, head_dim, scores + j);
  if (j < keys) dot<kHeads, 1>(queries, k + j * head_dim, head_dim, scores + j);
}

void score(const float* queries, const float* k, int64_t heads, int64_t keys, int64_t head_dim,
           float* scores) {
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4)
    score_heads<4>(queries + h * head_dim, k, keys, head_dim, scores + h * kKeys);
  for (; h < heads; ++h)
    score_heads<1>(queries + h * head_dim, k, keys, head_dim, scores + h * kKeys);
}

// Scores become 2^(score − largest); places past `keys` become 0. The output is rescaled.
void exponentiate(const Task& t, float* scores, int64_t keys, State state) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  for (int64_t h = 0; h < t.group(); ++h) {
    float* row = scores + h * kKeys;
    std::fill(row + keys, row + kKeys, kLowest);
    Vec m = simd::broadcast(state.largest[h]);
    for (int j = 0; j < kKeys; j += kLanes) m = simd::larger(m, simd::load(row + j));
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

// output[h] += Σ_j scores[h][j] · V[j], four rows of V at a time.
void accumulate(const Task& t, const float* scores, const float* v, int64_t keys, float* output) {
  const int64_t head_dim = t.d.head_dim, heads = t.group();
  int64_t j = 0;
  for (; j + 4 <= keys; j += 4) {
    const float* rows = v + j * head_dim;
    for (int64_t h = 0; h < heads; ++h) {
      const float* p = scores + h * kKeys + j;
      float* o = output + h * head_dim;
#pragma omp simd
      for (int64_t i = 0; i < head_dim; ++i)
        o[i] += (p[0] * rows[i] + p[1] * rows[head_dim + i]) +
                (p[2] * rows[2 * head_dim + i] + p[3] * rows[3 * head_dim + i]);
    }
  }
  for (; j < keys; ++j)
    for (int64_t h = 0; h < heads; ++h) {
      const float p = scores[h * kKeys + j];
#pragma omp simd
      for (int64_t i = 0; i < head_dim; ++i) output[h * head_dim + i] += p * v[j * head_dim + i];
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
    const int64_t offset = (cache * d.context + j) * d.head_dim;
    score(queries, t.k + offset, t.group(), keys, d.head_dim, scores);
    exponentiate(t, scores, keys, state);
    accumulate(t, scores, t.v + offset, keys, state.output);
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

// The keys [begin, end) of thread `thread`, counted through all caches.
struct Part {
  int64_t begin, end;
};
Part part(const Task& t, int64_t thread) {
  const int64_t keys = t.caches() * t.d.context;
  return {thread * keys / t.threads, (thread + 1) * keys / t.threads};
}

// Slot 0 keeps a thread's state of the cache that its part begins in the middle of, slot 1 that of
// the cache that its part begins but does not end; whole ones pass through slot 1 before it.
void run_thread(const Task& t, int64_t thread, float* scratch) {
  const auto [begin, end] = part(t, thread);
  float* own = scratch + thread * t.thread_floats();
  for (int64_t at = begin; at < end;) {
    const int64_t cache = at / t.d.context, first = at % t.d.context;
    const int64_t last = std::min(t.d.context, first + end - at);
    const State state = state_at(t, own + (first == 0 ? t.state_floats() : 0));
    attend(t, cache, first, last, state, own + 2 * t.state_floats());
    if (first == 0 && last == t.d.context) write(t, cache, state);
    at += last - first;
  }
}

// Merges the caches that more than one thread has keys of.
void merge_shared(const Task& t, float* scratch) {
  const auto slot = [&](int64_t thread, int64_t i) {
    return state_at(t, scratch + thread * t.thread_floats() + i * t.state_floats());
  };
  for (int64_t thread = 1, owner = 0; thread < t.threads; ++thread) {
    const auto [begin, end] = part(t, thread);
    if (begin == end || begin % t.d.context == 0) {
      if (begin < end) owner = thread;
      continue;
    }
    const int64_t cache = begin / t.d.context;
    const bool starts_here = part(t, owner).begin <= cache * t.d.context;
    const State into = slot(owner, starts_here ? 1 : 0);
    merge(t, into, slot(thread, 0));
    if (end >= (cache + 1) * t.d.context) {
      write(t, cache, into);
      owner = thread;
    }
  }
}

void run(const Task& t, float* scratch) {
#pragma omp parallel for schedule(static, 1)
  for (int thread = 0; thread < t.threads; ++thread) run_thread(t, thread, scratch);
  merge_shared(t, scratch);
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
        .threads = context.threads,
    };
    simd::Scratch scratch(task.threads * task.thread_floats());
    return make_launch(
        [task, scratch = std::move(scratch)]() mutable { run(task, scratch.data()); });
  };
  return {own};
}

}  // namespace ridge::attention_decode
