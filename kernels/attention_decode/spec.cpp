#include <algorithm>

#include "kernels/attention_decode/attention_decode.h"
#include "kernels/attention_prefill/reference.h"
#include "kernels/core/op_spec.h"

namespace ridge::attention_decode {
namespace {

std::string constraint(const Call& call) {
  const Dims d = dims(call);
  if (d.heads % d.kv_heads != 0)
    return "heads=" + std::to_string(d.heads) +
           " must be a multiple of kv_heads=" + std::to_string(d.kv_heads);
  if (d.head_dim % 8 != 0)
    return "head_dim=" + std::to_string(d.head_dim) + " must be a multiple of 8";
  return "";
}

// The limit on tokens is the cache that a large server holds; without it a tenth of the random
// points would need more memory than any one device has.
void adjust(Call& call) {
  constexpr int64_t kMaxTokens = 1 << 20;
  int64_t& batch = call.dims[0];
  const int64_t context = call.dims[1], heads = call.dims[2];
  int64_t& kv_heads = call.dims[3];
  batch = std::max<int64_t>(1, std::min(batch, kMaxTokens / context));
  kv_heads = std::min(kv_heads, heads);
  while (heads % kv_heads != 0) --kv_heads;
}

Work work(const Call& call) {
  // Two products of head_dim multiply-adds for every key and query head: 4 flops; the softmax is
  // not counted. K and V are read once however many query heads share them. The pipe is that of
  // matrix products, which a grouped decode can use; either way memory is what binds.
  const Dims d = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const auto batch = static_cast<double>(d.batch), context = static_cast<double>(d.context),
             head_dim = static_cast<double>(d.head_dim), heads = static_cast<double>(d.heads),
             kv_heads = static_cast<double>(d.kv_heads);
  return {.flops = 4 * head_dim * context * heads * batch,
          .bytes_read = size * batch * head_dim * (heads + 2 * kv_heads * context),
          .bytes_written = size * batch * head_dim * heads,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(call);
  const attention_prefill::Dims one_query{d.batch, 1, d.context, d.heads, d.kv_heads, d.head_dim};
  attention_prefill::reference(one_query, in, elements, values);
}

std::vector<Axis> axes() {
  return {
      {.name = "batch",
       .doc = "sequences, one new token each",
       .max = 1 << 16,
       .sweep_low = 1,
       .sweep_high = 256,
       .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256}},
      {.name = "context",
       .doc = "keys per sequence",
       .max = 1 << 24,
       .sweep_low = 16,
       .sweep_high = 32768,
       .usual = {128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768}},
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
  s.name = "attention_decode";
  s.table_name = "GQA_Decode";
  s.doc = "O[batch,1,heads,head_dim] = softmax(Q · K^T / √head_dim) · V over a cache of `context`";
  s.axes = axes();
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.constraint = constraint;
  s.adjust = adjust;
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    const std::vector<int64_t> cache{d.batch, d.kv_heads, d.context, d.head_dim};
    return std::vector<TensorSpec>{
        {.name = "Q", .dtype = c.dtype, .shape = {d.batch, 1, d.heads, d.head_dim}},
        {.name = "K", .dtype = c.dtype, .shape = cache},
        {.name = "V", .dtype = c.dtype, .shape = cache}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "O", .dtype = c.dtype, .shape = {d.batch, 1, d.heads, d.head_dim}}};
  };
  s.reference = reference;
  s.tolerance = [](const Call& c) {
    return attention_prefill::tolerance(c.dtype, dims(c).context);
  };
  s.test_dims = {{1, 1, 1, 1, 8},     {1, 7, 4, 4, 16},     {3, 129, 8, 2, 64},
                 {2, 1000, 6, 2, 80}, {1, 4097, 4, 1, 128}, {1, 300, 12, 1, 96},
                 {5, 65, 14, 2, 256}, {1, 513, 20, 1, 40},  {1, 67, 3, 1, 512}};
  return {s};
}

}  // namespace ridge::attention_decode
