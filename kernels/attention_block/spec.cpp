#include <algorithm>

#include "kernels/attention_block/attention_block.h"
#include "kernels/core/op_spec.h"

namespace ridge::attention_block {
namespace {

// 2 flops a multiply-add of the projections, and 4 · head_dim for each pair of a query and a key
// that it sees, as in attention_prefill. Only x, the weights and y count as bytes: what lies
// between the steps need not leave the chip.
Work work(const Call& call) {
  const Dims d = dims(call);
  const auto batch = static_cast<double>(d.batch), seq = static_cast<double>(d.seq),
             heads = static_cast<double>(d.heads), kv_heads = static_cast<double>(d.kv_heads),
             head_dim = static_cast<double>(d.head_dim), hidden = static_cast<double>(d.hidden);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double weights = (2 * heads + 2 * kv_heads) * head_dim * hidden;
  const double pairs = seq * (seq + 1) / 2;
  const double x = batch * seq * hidden;
  return {.flops = 2 * batch * seq * weights + 4 * head_dim * pairs * heads * batch,
          .bytes_read = size * (x + weights),
          .bytes_written = size * x,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

std::string constraint(const Call& call) {
  const Dims d = dims(call);
  return d.heads % d.kv_heads == 0
             ? ""
             : "heads=" + std::to_string(d.heads) +
                   " must be a multiple of kv_heads=" + std::to_string(d.kv_heads);
}

void adjust(Call& call) {
  const int64_t heads = call.dims[2];
  int64_t& kv_heads = call.dims[3];
  kv_heads = std::min(kv_heads, heads);
  while (heads % kv_heads != 0) --kv_heads;
}

std::vector<Axis> axes() {
  const auto few = [](const char* name, const char* doc, int64_t max, std::vector<int64_t> usual) {
    return Axis{.name = name,
                .doc = doc,
                .max = max,
                .sweep_low = usual.front(),
                .sweep_high = usual.back(),
                .usual = usual,
                .draw = Draw::kUsual};
  };
  return {few("batch", "sequences", 1 << 16, {1, 2, 4, 8}),
          {.name = "seq",
           .doc = "tokens per sequence",
           .max = 1 << 22,
           .sweep_low = 16,
           .sweep_high = 8192,
           .usual = {128, 512, 1024, 2048, 4096, 8192}},
          few("heads", "query heads", 1 << 12, {8, 16, 32, 40, 64}),
          few("kv_heads", "key and value heads", 1 << 12, {1, 4, 8, 32}),
          few("head_dim", "features per head", 512, {64, 80, 128}),
          few("hidden", "model width", 1 << 20, {1024, 2048, 4096, 5120, 8192})};
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "attention_block";
  s.table_name = "GQA_Block";
  s.doc = "y = attention_prefill(x · Wq^T, x · Wk^T, x · Wv^T) · Wo^T";
  s.axes = axes();
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.no_launch = "has no launch of its own here, only its parts have; its times can be imported";
  s.constraint = constraint;
  s.adjust = adjust;
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = c.dtype, .shape = {d.batch, d.seq, d.hidden}},
        {.name = "W_qkv",
         .dtype = c.dtype,
         .shape = {(d.heads + 2 * d.kv_heads) * d.head_dim, d.hidden}},
        {.name = "W_o", .dtype = c.dtype, .shape = {d.hidden, d.heads * d.head_dim}}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = c.dtype, .shape = {d.batch, d.seq, d.hidden}}};
  };
  s.test_dims = {{1, 1, 1, 1, 8, 8}, {2, 17, 4, 2, 16, 64}, {1, 512, 32, 8, 64, 2048}};
  return {s};
}

}  // namespace ridge::attention_block
