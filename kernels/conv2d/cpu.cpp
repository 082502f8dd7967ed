#include "kernels/conv2d/conv2d.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/dnnl_compat.h"

namespace ridge::conv2d {
namespace {

using Memory = dnnl::memory;

// oneDNN's view of our tensors: logical order is n c h w, and [g] k c r s; strides say where the
// elements are. Weights may go into any layout, activations stay where they are.
struct Descriptors {
  Memory::desc x, weights, packed, y;
};

Descriptors descriptors(const Dims& d) {
  constexpr auto kType = Memory::data_type::f32;
  constexpr auto kAny = Memory::format_tag::any;
  const Memory::desc x({d.n, d.c, d.h, d.w}, kType, Memory::format_tag::nhwc);
  const Memory::desc y({d.n, d.k, d.p(), d.q()}, kType, Memory::format_tag::nhwc);
  const int64_t c = d.group_c(), filter = d.r * d.s * c;
  Memory::dims sizes{d.k, c, d.r, d.s}, strides{filter, 1, d.s * c, c};
  if (d.groups > 1) {
    sizes = {d.groups, d.group_k(), c, d.r, d.s};
    strides.insert(strides.begin(), d.group_k() * filter);
  }
  return {.x = x, .weights = {sizes, kType, strides}, .packed = {sizes, kType, kAny}, .y = y};
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation onednn;
  onednn.op = "conv2d";
  onednn.name = "onednn";
  onednn.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  onednn.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    const Descriptors tensors = descriptors(d);
    const auto primitive_desc = dnnl_compat::convolution(
        context.engine, tensors.x, tensors.packed, tensors.y, {d.stride, d.stride}, {d.pad, d.pad});
    Memory plain(tensors.weights, context.engine, const_cast<void*>(a.inputs[1]));
    Memory packed(primitive_desc.weights_desc(), context.engine);
    dnnl::reorder(plain, packed).execute(context.stream, plain, packed);
    context.stream.wait();
    std::unordered_map<int, Memory> arguments{
        {DNNL_ARG_SRC, Memory(tensors.x, context.engine, const_cast<void*>(a.inputs[0]))},
        {DNNL_ARG_WEIGHTS, packed},
        {DNNL_ARG_DST, Memory(tensors.y, context.engine, a.outputs[0])}};
    return make_launch(
        [primitive = dnnl::convolution_forward(primitive_desc), stream = context.stream,
         arguments = std::move(arguments)]() mutable {
          primitive.execute(stream, arguments);
          stream.wait();
        },
        std::string(primitive_desc.impl_info_str()) + ", weights packed");
  };
  return {onednn};
}

}  // namespace ridge::conv2d
