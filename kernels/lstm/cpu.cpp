#include "kernels/cpu/context.h"
#include "kernels/cpu/dnnl_compat.h"
#include "kernels/lstm/lstm.h"

namespace ridge::lstm {
namespace {

using Memory = dnnl::memory;
using Tag = Memory::format_tag;
constexpr auto kType = Memory::data_type::f32;

// oneDNN runs a stack of layers in one primitive only where all have one input width: the first
// layer of an LSTM with input ≠ hidden is a stage of its own.
struct Stage {
  int64_t first_layer, layers, in;
};

std::vector<Stage> stages(const Dims& d) {
  if (d.input == d.hidden || d.layers == 1)
    return {{.first_layer = 0, .layers = d.layers, .in = d.input}};
  return {{.first_layer = 0, .layers = 1, .in = d.input},
          {.first_layer = 1, .layers = d.layers - 1, .in = d.hidden}};
}

// `values` scaled, in the layout of `packed`; [layers, 1, 4, hidden, in] here, l d i g o to oneDNN.
Memory pack(CpuContext& context, const float* values, const Memory::desc& plain_desc, float scale,
            const Memory::desc& packed_desc) {
  Memory plain(plain_desc, context.engine), packed(packed_desc, context.engine);
  auto* scaled = static_cast<float*>(plain.get_data_handle());
  const std::size_t count = plain_desc.get_size() / sizeof(float);
  for (std::size_t i = 0; i < count; ++i) scaled[i] = values[i] * scale;
  dnnl::reorder(plain, packed).execute(context.stream, plain, packed);
  context.stream.wait();
  return packed;
}

class Lstm final : public Launch {
 public:
  Lstm(CpuContext& context, const Dims& d, const Arguments& a) : stream_(context.stream) {
    const std::vector<Stage> all = stages(d);
    if (all.size() > 1) between_.resize(static_cast<std::size_t>(d.seq * d.batch * d.hidden));
    for (const Stage& s : all) {
      const bool first = s.first_layer == 0, last = s.first_layer + s.layers == d.layers;
      add(context, d, s, a, first ? const_cast<void*>(a.inputs[0]) : between_.data(),
          last ? a.outputs[0] : between_.data());
    }
  }

  void enqueue() override {
    for (Part& p : parts_) p.primitive.execute(stream_, p.arguments);
    stream_.wait();
  }
  std::string detail() const override { return detail_; }

 private:
  struct Part {
    dnnl::lstm_forward primitive;
    std::unordered_map<int, Memory> arguments;
  };

  void add(CpuContext& context, const Dims& d, const Stage& s, const Arguments& a, void* x,
           void* y) {
    const Memory::dims layer_dims{s.layers, 1, s.in, 4, d.hidden},
        iter_dims{s.layers, 1, d.hidden, 4, d.hidden}, bias_dims{s.layers, 1, 4, d.hidden};
    const dnnl_compat::LstmTensors t{.x = {{d.seq, d.batch, s.in}, kType, Tag::tnc},
                                     .weights_layer = {layer_dims, kType, Tag::any},
                                     .weights_iter = {iter_dims, kType, Tag::any},
                                     .bias = {bias_dims, kType, Tag::ldgo},
                                     .y = {{d.seq, d.batch, d.hidden}, kType, Tag::tnc}};
    const auto primitive_desc = dnnl_compat::lstm(context.engine, t);
    const auto values = [&](std::size_t input, int64_t at) {
      return static_cast<const float*>(a.inputs[input]) + at;
    };
    const float scale = weight_scale(d);
    const int64_t gates = s.first_layer * 4 * d.hidden;
    parts_.push_back(
        {dnnl::lstm_forward(primitive_desc),
         {{DNNL_ARG_SRC_LAYER, Memory(t.x, context.engine, x)},
          {DNNL_ARG_WEIGHTS_LAYER,
           pack(context, values(1, d.w_input_at(s.first_layer)), {layer_dims, kType, Tag::ldgoi},
                scale, primitive_desc.weights_layer_desc())},
          {DNNL_ARG_WEIGHTS_ITER,
           pack(context, values(2, gates * d.hidden), {iter_dims, kType, Tag::ldgoi}, scale,
                primitive_desc.weights_iter_desc())},
          {DNNL_ARG_BIAS, pack(context, values(3, gates), t.bias, scale, t.bias)},
          {DNNL_ARG_DST_LAYER, Memory(t.y, context.engine, y)}}});
    detail_ += (detail_.empty() ? "" : " + ") + std::string(primitive_desc.impl_info_str());
  }

  dnnl::stream stream_;
  std::vector<float> between_;  // the first stage's output
  std::vector<Part> parts_;
  std::string detail_;
};

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation onednn;
  onednn.op = "lstm";
  onednn.name = "onednn";
  onednn.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  onednn.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    return std::make_unique<Lstm>(context, dims(c), a);
  };
  return {onednn};
}

}  // namespace ridge::lstm
