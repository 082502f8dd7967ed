#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/attention_prefill/vectors.h"
#include "kernels/cpu/context.h"

// A panel is a few vectors of query rows, one row a lane, all of one key head (the heads of a group
// count as rows, so that they share what is loaded of K and V). Scores and output are kept
// transposed, [key][lane] and [feature][lane]: both products then are
//   C[i][lane] += Σ_k A(i, k) · B[k][lane]
// with A read element by element from K or V as they lie in memory and B a packed panel, and the
// softmax over keys needs nothing across lanes.
namespace ridge::attention_prefill {
namespace {

using simd::kLanes;
using Vec = simd::Floats;

constexpr int kKeys = 96;                       // a tile of scores stays in the L1 cache
constexpr int kVectors = kLanes == 16 ? 4 : 2;  // of a full panel: 6 × kVectors sums fit registers
constexpr int kMaxPanel = kVectors * kLanes;
constexpr int kRows = 6;

// A(i, k) = at[i · row + k · column]
struct Matrix {
  const float* at;
  int64_t row, column;
};

// `rescale` null: C starts at 0; otherwise at C[i] · rescale.
template <int kMr, int kNv>
void block(Matrix a, int64_t depth, const float* b, const simd::Vecs<kNv>* rescale, float* c) {
  simd::Vecs<kMr * kNv> sums;
  for (int i = 0; i < kMr; ++i)
    for (int v = 0; v < kNv; ++v)
      sums[i * kNv + v] =
          rescale ? simd::load(c + (i * kNv + v) * kLanes) * (*rescale)[v] : simd::broadcast(0);
  for (int64_t k = 0; k < depth; ++k) {
    simd::Vecs<kNv> rows;
    for (int v = 0; v < kNv; ++v) rows[v] = simd::load(b + (k * kNv + v) * kLanes);
    for (int i = 0; i < kMr; ++i) {
      const Vec x = simd::broadcast(a.at[i * a.row + k * a.column]);
      for (int v = 0; v < kNv; ++v) sums[i * kNv + v] += x * rows[v];
    }
  }
  for (int i = 0; i < kMr; ++i)
    for (int v = 0; v < kNv; ++v) simd::store(c + (i * kNv + v) * kLanes, sums[i * kNv + v]);
}

template <int kNv>
void product(Matrix a, int64_t rows, int64_t depth, const float* b, const simd::Vecs<kNv>* rescale,
             float* c) {
  int64_t i = 0;
  const auto next = [&] { return Matrix{a.at + i * a.row, a.row, a.column}; };
  for (; i + kRows <= rows; i += kRows)
    block<kRows, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
  switch (rows - i) {
    case 5:
      return block<5, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
    case 4:
      return block<4, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
    case 3:
      return block<3, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
    case 2:
      return block<2, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
    case 1:
      return block<1, kNv>(next(), depth, b, rescale, c + i * kNv * kLanes);
  }
}

template <int kNv>
struct Softmax {
  simd::Vecs<kNv> largest, sums, rescale;
};

// Scores [keys][lane] become 2^(score − largest), the running largest and sums are brought up to
// date, and `rescale` gets what the output so far must be multiplied with.
template <int kNv>
void exponentiate(float* scores, int64_t keys, Softmax<kNv>& state) {
  for (int v = 0; v < kNv; ++v) {
    float* column = scores + v * kLanes;
    Vec m = state.largest[v];
    for (int64_t j = 0; j < keys; ++j) m = simd::maximum(m, simd::load(column + j * kNv * kLanes));
    state.rescale[v] = simd::exp2_nonpositive(state.largest[v] - m);
    state.largest[v] = m;
    Vec total = state.sums[v] * state.rescale[v];
    for (int64_t j = 0; j < keys; ++j) {
      const Vec p = simd::exp2_nonpositive(simd::load(column + j * kNv * kLanes) - m);
      simd::store(column + j * kNv * kLanes, p);
      total += p;
    }
    state.sums[v] = total;
  }
}

// Keys from `first` on that a lane does not see get the lowest score.
template <int kNv>
void mask(float* scores, int64_t first, int64_t keys, const int32_t* visible) {
  for (int64_t j = 0; j < keys; ++j)
#pragma omp simd
    for (int r = 0; r < kNv * kLanes; ++r)
      if (first + j >= visible[r])
        scores[j * kNv * kLanes + r] = std::numeric_limits<float>::lowest();
}

struct Task {
  Dims d;
  const float *q, *k, *v;
  float* o;
  int64_t cache_rows;
};

// Row r of a (batch, key head) is query r / group of the group's head r % group.
int64_t row_offset(const Dims& d, int64_t batch, int64_t kv_head, int64_t row) {
  const int64_t group = d.heads / d.kv_heads;
  return ((batch * d.seq + row / group) * d.heads + kv_head * group + row % group) * d.head_dim;
}

template <int kNv>
void run_panel(const Task& t, int64_t batch, int64_t kv_head, int64_t first_row, float* scratch) {
  const Dims& d = t.d;
  constexpr int kPanel = kNv * kLanes;
  float* queries = scratch;
  float* output = queries + d.head_dim * kPanel;
  float* scores = output + d.head_dim * kPanel;
  const int64_t group = d.heads / d.kv_heads, all_rows = d.seq * group;
  const float scale =
      static_cast<float>(std::log2(std::exp(1.0)) / std::sqrt(static_cast<double>(d.head_dim)));
  int32_t visible[kMaxPanel];
  for (int r = 0; r < kPanel; ++r) {  // lanes past the last row repeat it
    const int64_t row = std::min(first_row + r, all_rows - 1);
    const float* q = t.q + row_offset(d, batch, kv_head, row);
    for (int64_t i = 0; i < d.head_dim; ++i) queries[i * kPanel + r] = q[i] * scale;
    visible[r] = static_cast<int32_t>(visible_keys(d, row / group));
  }
  Softmax<kNv> state;
  for (int v = 0; v < kNv; ++v) {
    state.largest[v] = simd::broadcast(std::numeric_limits<float>::lowest());
    state.sums[v] = simd::broadcast(0);
  }
  const int64_t kv_offset = (batch * d.kv_heads + kv_head) * t.cache_rows * d.head_dim;
  const int64_t end = visible[kPanel - 1];
  for (int64_t first = 0; first < end; first += kKeys) {
    const int64_t keys = std::min<int64_t>(kKeys, end - first);
    const int64_t offset = kv_offset + first * d.head_dim;
    product<kNv>({t.k + offset, d.head_dim, 1}, keys, d.head_dim, queries, nullptr, scores);
    if (first + keys > visible[0]) mask<kNv>(scores, first, keys, visible);
    exponentiate<kNv>(scores, keys, state);
    product<kNv>({t.v + offset, 1, d.head_dim}, d.head_dim, keys, scores,
                 first == 0 ? nullptr : &state.rescale, output);
  }
  float factors[kMaxPanel];
  for (int v = 0; v < kNv; ++v) simd::store(factors + v * kLanes, 1.0f / state.sums[v]);
  for (int r = 0; r < kPanel && first_row + r < all_rows; ++r) {
    float* o = t.o + row_offset(d, batch, kv_head, first_row + r);
    for (int64_t i = 0; i < d.head_dim; ++i) o[i] = output[i * kPanel + r] * factors[r];
  }
}

int64_t scratch_floats(const Dims& d) { return (2 * d.head_dim + kKeys) * kMaxPanel; }

void run(const Task& t, float* scratch) {
  const Dims& d = t.d;
  const int64_t rows = d.seq * (d.heads / d.kv_heads), panels = (rows + kMaxPanel - 1) / kMaxPanel;
  const int64_t caches = d.batch * d.kv_heads;
  // Late panels see the most keys: the longest first keeps the threads busy to the end.
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t task = 0; task < panels * caches; ++task) {
    const int64_t panel = panels - 1 - task / caches, cache = task % caches;
    const int64_t batch = cache / d.kv_heads, kv_head = cache % d.kv_heads;
    float* own = scratch + omp_get_thread_num() * scratch_floats(d);
    if (rows - panel * kMaxPanel <= kLanes)
      run_panel<1>(t, batch, kv_head, panel * kMaxPanel, own);
    else
      run_panel<kVectors>(t, batch, kv_head, panel * kMaxPanel, own);
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "attention_prefill";
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
        .cache_rows = cache_rows(a, dims(c).kv_len),
    };
    simd::Scratch scratch(context.threads * scratch_floats(task.d));
    return make_launch(
        [task, scratch = std::move(scratch)]() mutable { run(task, scratch.data()); });
  };
  return {own};
}

}  // namespace ridge::attention_prefill
