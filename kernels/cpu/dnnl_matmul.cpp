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

}  // namespace

std::function<void()> bind_packed_matmul(CpuContext& context, const PackedMatmul& s, const void* a,
                                         const void* w, void* c, std::string* detail) {
  const bool integer = s.dtype == Dtype::kInt8;
  const auto in = integer ? Memory::data_type::s8 : Memory::data_type::f32;
  const auto out = integer ? Memory::data_type::s32 : Memory::data_type::f32;
  const Memory::desc a_desc = row_major({s.m, s.k}, in), c_desc = row_major({s.m, s.n}, out);
  // W[n,k] row-major is [k,n] with the axes swapped.
  const Memory::desc w_plain({s.k, s.n}, in, Memory::format_tag::ba);
  const Memory::desc w_any({s.k, s.n}, in, Memory::format_tag::any);
  const auto primitive_desc = dnnl_compat::matmul(context.engine, a_desc, w_any, c_desc);
  if (detail) *detail = primitive_desc.impl_info_str();

  Memory plain(w_plain, context.engine, const_cast<void*>(w));
  const Memory::desc packed_desc = primitive_desc.weights_desc();
  const std::shared_ptr<void> held = huge_pages(packed_desc.get_size());
  Memory packed(packed_desc, context.engine, held.get());
  dnnl::reorder(plain, packed).execute(context.stream, plain, packed);
  context.stream.wait();
  Memory a_memory(a_desc, context.engine, const_cast<void*>(a));
  Memory c_memory(c_desc, context.engine, c);
  return [primitive = dnnl::matmul(primitive_desc), stream = context.stream, held,
          arguments = std::unordered_map<int, Memory>{{DNNL_ARG_SRC, a_memory},
                                                      {DNNL_ARG_WEIGHTS, packed},
                                                      {DNNL_ARG_DST, c_memory}}]() mutable {
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
