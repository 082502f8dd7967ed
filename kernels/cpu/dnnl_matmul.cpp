#include "kernels/cpu/dnnl_matmul.h"

#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <unordered_map>

#include "kernels/cpu/dnnl_compat.h"

namespace ridge {
namespace {

using Memory = dnnl::memory;

Memory::desc row_major(Memory::dims dims, Memory::data_type type) {
  return {std::move(dims), type, Memory::format_tag::ab};
}

// On huge pages where the system gives them: oneDNN's own memory is mapped in small ones, and
// touching those for the first time takes as long as packing weights into them.
std::shared_ptr<void> huge_pages(std::size_t bytes) {
  constexpr std::size_t kHuge = std::size_t{2} << 20;
  const std::size_t whole = (bytes + kHuge - 1) / kHuge * kHuge;
  void* address = std::aligned_alloc(kHuge, whole);
  if (!address) throw std::bad_alloc();
  madvise(address, whole, MADV_HUGEPAGE);
  return {address, std::free};
}

Memory::data_type input_type(Dtype dtype) {
  return dtype == Dtype::kInt8 ? Memory::data_type::s8 : Memory::data_type::f32;
}

// W[n,k] row-major is [k,n] with the axes swapped.
Memory::desc weights_desc(Dtype dtype, int64_t n, int64_t k, Memory::format_tag tag) {
  return {{k, n}, input_type(dtype), tag};
}

struct Descs {
  Memory::desc a, c, bias;
};

Descs descs_of(const PackedMatmul& s, bool bias) {
  const auto out = s.dtype == Dtype::kInt8 ? Memory::data_type::s32 : Memory::data_type::f32;
  return {.a = row_major({s.m, s.k}, input_type(s.dtype)),
          .c = row_major({s.m, s.n}, out),
          .bias = bias ? row_major({1, s.n}, out) : Memory::desc()};
}

Memory::desc best_form(const CpuContext& context, const PackedMatmul& s) {
  const Descs d = descs_of(s, false);
  const Memory::desc any = weights_desc(s.dtype, s.n, s.k, Memory::format_tag::any);
  return dnnl_compat::matmul(context.engine, d.a, any, d.c).weights_desc();
}

}  // namespace

PackedWeights::PackedWeights(CpuContext& context, const Memory::desc& plain,
                             const Memory::desc& form, const void* w)
    : held_(huge_pages(form.get_size())), memory_(form, context.engine, held_.get()) {
  Memory from(plain, context.engine, const_cast<void*>(w));
  dnnl::reorder(from, memory_).execute(context.stream, from, memory_);
  context.stream.wait();
}

PackedWeights::PackedWeights(CpuContext& context, Dtype dtype, int64_t n, int64_t k, const void* w)
    : PackedWeights(context, weights_desc(dtype, n, k, Memory::format_tag::ba),
                    best_form(context, {.m = 1, .n = n, .k = k, .dtype = dtype}), w) {}

std::function<void()> bind_packed_matmul(CpuContext& context, const PackedMatmul& s,
                                         const Arguments& a, std::string* detail) {
  const auto* kept = dynamic_cast<const PackedWeights*>(a.weights);
  const Descs d = descs_of(s, a.bias != nullptr);
  const Memory::desc form =
      kept ? kept->memory().get_desc() : weights_desc(s.dtype, s.n, s.k, Memory::format_tag::any);
  const auto primitive_desc = dnnl_compat::matmul(context.engine, d.a, form, d.c, d.bias);
  if (detail) *detail = primitive_desc.impl_info_str();

  std::shared_ptr<PackedWeights> own;
  if (!kept)
    own = std::make_shared<PackedWeights>(context,
                                          weights_desc(s.dtype, s.n, s.k, Memory::format_tag::ba),
                                          primitive_desc.weights_desc(), a.inputs[1]);
  std::unordered_map<int, Memory> arguments{
      {DNNL_ARG_SRC, {d.a, context.engine, const_cast<void*>(a.inputs[0])}},
      {DNNL_ARG_WEIGHTS, kept ? kept->memory() : own->memory()},
      {DNNL_ARG_DST, {d.c, context.engine, a.outputs[0]}}};
  if (a.bias) arguments[DNNL_ARG_BIAS] = Memory(d.bias, context.engine, const_cast<void*>(a.bias));
  return [primitive = dnnl::matmul(primitive_desc), stream = context.stream, own,
          arguments = std::move(arguments)]() mutable {
    primitive.execute(stream, arguments);
    stream.wait();
  };
}

std::function<void()> bind_batched_matmul(CpuContext& context, const BatchedMatmul& s,
                                          const float* a, const float* b, float* c,
                                          std::string* detail) {
  auto plain = [](int64_t rows, int64_t columns, int64_t batch) {
    return Memory::desc({batch, rows, columns}, Memory::data_type::f32, Memory::format_tag::abc);
  };
  const Memory::desc a_desc = plain(s.m, s.k, s.batch), b_desc = plain(s.k, s.n, s.batch),
                     c_desc = plain(s.m, s.n, s.batch);
  const auto primitive_desc = dnnl_compat::matmul(context.engine, a_desc, b_desc, c_desc);
  if (detail) *detail = primitive_desc.impl_info_str();
  return [primitive = dnnl::matmul(primitive_desc), stream = context.stream,
          arguments = std::unordered_map<int, Memory>{
              {DNNL_ARG_SRC, {a_desc, context.engine, const_cast<float*>(a)}},
              {DNNL_ARG_WEIGHTS, {b_desc, context.engine, const_cast<float*>(b)}},
              {DNNL_ARG_DST, {c_desc, context.engine, c}}}]() mutable {
    primitive.execute(stream, arguments);
    stream.wait();
  };
}

}  // namespace ridge
