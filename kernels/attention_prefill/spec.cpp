#include <algorithm>
#include <cmath>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/attention_prefill/reference.h"
#include "kernels/core/op_spec.h"

namespace ridge::attention_prefill {
namespace {

// softmax(q · K^T / √head_dim) over the keys that query row `row` = (batch, query, head) sees.
std::vector<double> weights(const Dims& d, std::span<const HostTensor> in, int64_t row,
                            int64_t first_key_row) {
  std::vector<double> q(static_cast<std::size_t>(d.head_dim));
  for (int64_t i = 0; i < d.head_dim; ++i)
    q[static_cast<std::size_t>(i)] =
        in[0].at(row * d.head_dim + i) / std::sqrt(static_cast<double>(d.head_dim));
  std::vector<double> p(static_cast<std::size_t>(visible_keys(d, row / d.heads % d.seq)));
  for (std::size_t j = 0; j < p.size(); ++j) {
    const int64_t key = (first_key_row + static_cast<int64_t>(j)) * d.head_dim;
    for (std::size_t i = 0; i < q.size(); ++i)
      p[j] += q[i] * in[1].at(key + static_cast<int64_t>(i));
  }
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp(x - largest);
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace

void reference(const Dims& d, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  int64_t row = -1, first_key_row = 0;
  std::vector<double> p;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t column = elements[e].index % d.head_dim;
    if (const int64_t r = elements[e].index / d.head_dim; r != row) {
      row = r;
      const int64_t kv_head = row % d.heads / (d.heads / d.kv_heads);
      first_key_row = (row / d.heads / d.seq * d.kv_heads + kv_head) * d.kv_len;
      p = weights(d, in, row, first_key_row);
    }
    double sum = 0;
    for (std::size_t j = 0; j < p.size(); ++j)
      sum += p[j] * in[2].at((first_key_row + static_cast<int64_t>(j)) * d.head_dim + column);
    values[e] = sum;
  }
}

namespace {

std::string constraint(const Call& call) {
  const Dims d = dims(call);
  const auto text = [](int64_t x) { return std::to_string(x); };
  if (d.kv_len < d.seq)
    return "kv_len=" + text(d.kv_len) + " must be at least seq=" + text(d.seq) +
           " (the cache holds the new tokens too)";
  if (d.heads % d.kv_heads != 0)
    return "heads=" + text(d.heads) + " must be a multiple of kv_heads=" + text(d.kv_heads);
  if (d.head_dim % 8 != 0) return "head_dim=" + text(d.head_dim) + " must be a multiple of 8";
  return "";
}

// Chunked prefill has kv_len > seq, the rest kv_len = seq. The limits are what a server admits in
// one step: without them most random points would be far larger than any real one.
void adjust(Call& call) {
  int64_t &batch = call.dims[0], &seq = call.dims[1], &kv_len = call.dims[2];
  const int64_t heads = call.dims[3];
  int64_t& kv_heads = call.dims[4];
  constexpr int64_t kMaxTokens = 1 << 15;
  kv_len = std::max(kv_len, seq);
  batch = std::max<int64_t>(1, std::min(batch, kMaxTokens / kv_len));
  kv_heads = std::min(kv_heads, heads);
  while (heads % kv_heads != 0) --kv_heads;
}

Work work(const Call& call) {
  // Two products of head_dim multiply-adds each for every (query, visible key) pair and head: 4
  // flops. The softmax itself is not counted. Q, K and V are read once, O is written once.
  const Dims d = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const auto batch = static_cast<double>(d.batch), seq = static_cast<double>(d.seq),
             kv_len = static_cast<double>(d.kv_len), head_dim = static_cast<double>(d.head_dim),
             heads = static_cast<double>(d.heads), kv_heads = static_cast<double>(d.kv_heads);
  const double pairs = seq * kv_len - seq * (seq - 1) / 2;
  const double rows = batch * seq * heads;
  return {.flops = 4 * head_dim * pairs * heads * batch,
          .bytes_read = size * head_dim * (rows + 2 * batch * kv_heads * kv_len),
          .bytes_written = size * head_dim * rows,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

std::vector<Axis> axes() {
  return {
      {.name = "batch",
       .doc = "sequences",
       .max = 1 << 16,
       .sweep_low = 1,
       .sweep_high = 32,
       .usual = {1, 1, 1, 2, 4, 8, 16, 32},
       .draw = Draw::kUsual},
      {.name = "seq",
       .doc = "new tokens per sequence",
       .max = 1 << 22,
       .sweep_low = 16,
       .sweep_high = 8192,
       .usual = {16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}},
      {.name = "kv_len",
       .doc = "keys per sequence, the new tokens' included",
       .max = 1 << 22,
       .sweep_low = 16,
       .sweep_high = 8192,
       .usual = {16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}},
      {.name = "heads",
       .doc = "query heads",
       .max = 1 << 12,
       .sweep_low = 8,
       .sweep_high = 64,
       .usual = {8, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64},
       .draw = Draw::kUsual},
      {.name = "kv_heads",
       .doc = "key and value heads",
       .max = 1 << 12,
       .sweep_low = 1,
       .sweep_high = 64,
       .usual = {1, 2, 4, 8, 8, 8, 16, 32, 64},
       .draw = Draw::kUsual},
      {.name = "head_dim",
       .doc = "features per head",
       .min = 8,
       .max = 512,
       .sweep_low = 64,
       .sweep_high = 256,
       .usual = {64, 64, 80, 96, 128, 128, 128, 256},
       .draw = Draw::kUsual},
  };
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "attention_prefill";
  s.table_name = "Grouped_Query_Attention";
  s.doc = "O[batch,seq,heads,head_dim] = softmax(Q · K^T / √head_dim, causal) · V";
  s.axes = axes();
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.constraint = constraint;
  s.adjust = adjust;
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    const std::vector<int64_t> cache{d.batch, d.kv_heads, d.kv_len, d.head_dim};
    return std::vector<TensorSpec>{
        {.name = "Q", .dtype = c.dtype, .shape = {d.batch, d.seq, d.heads, d.head_dim}},
        {.name = "K", .dtype = c.dtype, .shape = cache},
        {.name = "V", .dtype = c.dtype, .shape = cache}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "O", .dtype = c.dtype, .shape = {d.batch, d.seq, d.heads, d.head_dim}}};
  };
  s.reference = [](const Call& c, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) { reference(dims(c), in, elements, values); };
  s.tolerance = [](const Call& c) { return tolerance(c.dtype, dims(c).kv_len); };
  s.test_dims = {{1, 1, 1, 1, 1, 8},    {1, 5, 5, 1, 1, 16},     {2, 17, 17, 4, 2, 64},
                 {1, 33, 70, 6, 2, 80}, {1, 130, 200, 3, 1, 64}, {1, 64, 64, 4, 4, 128},
                 {2, 3, 129, 8, 1, 96}, {1, 20, 300, 2, 1, 256}, {1, 100, 100, 7, 1, 40},
                 {1, 9, 70, 2, 1, 512}};
  return {s};
}

}  // namespace ridge::attention_prefill
