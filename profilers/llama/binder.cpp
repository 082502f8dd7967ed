#include <functional>

#include "profilers/llama/decoder_memory.h"

namespace ridge {
namespace {

const void* address(const std::unique_ptr<Buffer>& b) { return b ? b->address() : nullptr; }

}  // namespace

void Decoder::Binder::add(Role role, const char* op, std::vector<int64_t> dims,
                          const Arguments& arguments) {
  add(role, Call{op, std::move(dims), memory_.dtype, {}}, arguments);
}

void Decoder::Binder::add(Role role, Call call, const Arguments& arguments) {
  Operation o{.role = role, .layer = layer_, .call = std::move(call)};
  o.launch = backend_.bind(o.call, arguments);
  out_.push_back(std::move(o));
}

void Decoder::Binder::product(Role role, int64_t m, int64_t n, int64_t k, const void* x,
                              const Linear& w, void* y) {
  if (!w.scale) {
    add(role, "gemm", {m, n, k},
        {.inputs = {x, nullptr}, .outputs = {y}, .weights = w.w.get(), .bias = address(w.bias)});
    return;
  }
  add(role, Call{"gemm", {m, n, k}, Dtype::kInt8, {}},
      {.inputs = {memory_.rounded->address(), nullptr},
       .outputs = {memory_.sums->address()},
       .weights = w.w.get()});
  add(role, "dequantise", {m, n},
      {.inputs = {memory_.sums->address(), memory_.row_scale->address(), w.scale->address()},
       .outputs = {y},
       .bias = address(w.bias)});
}

void Decoder::Binder::quantise(Role role, int64_t k, const Buffer& x) {
  if (w_.format != WeightFormat::kInt8) return;
  add(role, "quantise_rows", {tokens_, k},
      {.inputs = {x.address()},
       .outputs = {memory_.rounded->address(), memory_.row_scale->address()}});
}

void Decoder::Binder::norm(const Buffer& w) {
  const std::vector<int64_t> dims{tokens_, m_.hidden};
  if (added_) {
    add(Role::kNorm, "rmsnorm", dims,
        {.inputs = {memory_.residual[side_]->address(), w.address()},
         .outputs = {memory_.normed->address()},
         .epsilon = memory_.epsilon});
  } else {
    add(Role::kNorm, "add_rmsnorm", dims,
        {.inputs = {memory_.block->address(), memory_.residual[side_]->address(), w.address()},
         .outputs = {memory_.normed->address(), memory_.residual[1 - side_]->address()},
         .epsilon = memory_.epsilon});
    side_ = 1 - side_;
  }
  added_ = false;
}

void Decoder::Binder::begin(int64_t tokens) {
  tokens_ = tokens;
  layer_ = -1;
  side_ = 0;
  added_ = true;
  out_.clear();
  add(Role::kEmbedding, "embedding", {tokens, m_.hidden, m_.vocab},
      {.inputs = {memory_.tokens(), w_.table()}, .outputs = {memory_.residual[0]->address()}});
}

void Decoder::Binder::head_norm(const Buffer* w, const Buffer& x, const Buffer& y, int64_t heads) {
  add(Role::kQkNorm, "rmsnorm", {tokens_ * heads, m_.head_dim},
      {.inputs = {x.address(), w->address()},
       .outputs = {y.address()},
       .epsilon = memory_.epsilon});
}

// Query, key and value of every token: key and value into the cache, the query into query[2].
void Decoder::Binder::attention_inputs(int64_t layer) {
  const DecoderLayer& l = w_.layers[static_cast<std::size_t>(layer)];
  const void* x = memory_.normed->address();
  quantise(Role::kQkv, m_.hidden, *memory_.normed);
  product(Role::kQkv, tokens_, m_.q_width(), m_.hidden, x, l.query, memory_.query[0]->address());
  product(Role::kQkv, tokens_, m_.kv_width(), m_.hidden, x, l.key, memory_.key[0]->address());
  product(Role::kQkv, tokens_, m_.kv_width(), m_.hidden, x, l.value, memory_.value->address());
  if (m_.qk_norm) {
    head_norm(l.query_norm.get(), *memory_.query[0], *memory_.query[1], m_.heads);
    head_norm(l.key_norm.get(), *memory_.key[0], *memory_.key[1], m_.kv_heads);
  }
  const int from = m_.qk_norm ? 1 : 0;
  const auto turn = [&](const Buffer& in, const Buffer& out, int64_t heads) {
    add(Role::kRope, "rope", {tokens_, heads, m_.head_dim},
        {.inputs = {in.address(), memory_.positions(), memory_.rope->address()},
         .outputs = {out.address()}});
  };
  turn(*memory_.query[from], *memory_.query[2], m_.heads);
  turn(*memory_.key[from], *memory_.key[2], m_.kv_heads);
  // Heads lie apart in the cache: to the operator each of them is a row.
  add(Role::kKvWrite, "kv_cache_write", {tokens_ * m_.kv_heads, 1, m_.head_dim},
      {.inputs = {memory_.key[2]->address(), memory_.value->address(), memory_.slots()},
       .outputs = {memory_.keys(layer, 0), memory_.values(layer, 0)}});
}

// Sequences of one length that follow each other share a launch.
void Decoder::Binder::attend_prompts(const Group& group, int64_t layer) {
  const int64_t row_bytes = m_.q_width() * static_cast<int64_t>(bytes_per_element(memory_.dtype));
  const auto count = static_cast<int64_t>(group.lengths.size());
  int64_t rows = 0;
  for (int64_t i = 0, n = 0; i < count; i += n) {
    const int64_t length = group.lengths[static_cast<std::size_t>(i)];
    for (n = 1; i + n < count && group.lengths[static_cast<std::size_t>(i + n)] == length;) ++n;
    add(Role::kPrefillAttention, "attention_prefill",
        {n, length, length, m_.heads, m_.kv_heads, m_.head_dim},
        {.inputs = {static_cast<const std::byte*>(memory_.query[2]->address()) + rows * row_bytes,
                    memory_.keys(layer, group.first + i), memory_.values(layer, group.first + i)},
         .outputs = {static_cast<std::byte*>(memory_.attended->address()) + rows * row_bytes},
         .cache_rows = limits_.positions});
    rows += n * length;
  }
}

void Decoder::Binder::attend_caches(int64_t sequences, int64_t context, int64_t layer) {
  add(Role::kDecodeAttention, "attention_decode",
      {sequences, context, m_.heads, m_.kv_heads, m_.head_dim},
      {.inputs = {memory_.query[2]->address(), memory_.keys(layer, 0), memory_.values(layer, 0)},
       .outputs = {memory_.attended->address()},
       .cache_rows = limits_.positions,
       .lengths = memory_.lengths()});
}

void Decoder::Binder::layers(const std::function<void(int64_t layer)>& attend) {
  for (layer_ = 0; layer_ < m_.layers; ++layer_) {
    const DecoderLayer& l = w_.layers[static_cast<std::size_t>(layer_)];
    norm(*l.input_norm);
    attention_inputs(layer_);
    attend(layer_);
    quantise(Role::kOutput, m_.q_width(), *memory_.attended);
    product(Role::kOutput, tokens_, m_.hidden, m_.q_width(), memory_.attended->address(), l.output,
            memory_.block->address());
    norm(*l.post_norm);
    quantise(Role::kGateUp, m_.hidden, *memory_.normed);
    product(Role::kGateUp, tokens_, 2 * m_.ffn, m_.hidden, memory_.normed->address(), l.gate_up,
            memory_.gate_up->address());
    add(Role::kActivation, "silu_mul", {tokens_, m_.ffn},
        {.inputs = {memory_.gate_up->address()}, .outputs = {memory_.activated->address()}});
    quantise(Role::kDown, m_.ffn, *memory_.activated);
    product(Role::kDown, tokens_, m_.hidden, m_.ffn, memory_.activated->address(), l.down,
            memory_.block->address());
  }
  layer_ = -1;
}

// Of `samples` sequences; where a step has more tokens, those of each one's last are gathered,
// which is what the operator of the embedding does.
void Decoder::Binder::finish(int64_t samples) {
  norm(*w_.final_norm);
  const void* x = memory_.normed->address();
  if (samples < tokens_) {
    add(Role::kLmHead, "embedding", {samples, m_.hidden, tokens_},
        {.inputs = {memory_.last(), x}, .outputs = {memory_.sampled->address()}});
    x = memory_.sampled->address();
  }
  add(Role::kLmHead, "gemm", {samples, m_.vocab, m_.hidden},
      {.inputs = {x, nullptr},
       .outputs = {memory_.logits->address()},
       .weights = w_.lm_head.get()});
  add(Role::kSampling, "argmax", {samples, m_.vocab},
      {.inputs = {memory_.logits->address()}, .outputs = {memory_.next->address()}});
}

std::vector<Operation> Decoder::Binder::prefill(const Group& group) {
  int64_t tokens = 0;
  for (const int64_t length : group.lengths) tokens += length;
  begin(tokens);
  layers([&](int64_t layer) { attend_prompts(group, layer); });
  finish(static_cast<int64_t>(group.lengths.size()));
  return std::move(out_);
}

std::vector<Operation> Decoder::Binder::decode(int64_t sequences, int64_t context) {
  begin(sequences);
  layers([&](int64_t layer) { attend_caches(sequences, context, layer); });
  finish(sequences);
  return std::move(out_);
}

}  // namespace ridge
