#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/softmax/softmax.h"

namespace ridge::softmax {
namespace {

using simd::Floats;
using simd::Store;

constexpr float kLowest = std::numeric_limits<float>::lowest();

// Columns [first, last) of a row. Exponentials go through `scratch`, which stays in the cache, when
// y is written past it; else scratch is y.
template <Store how, class Combine>
void softmax_part(const float* x, float* scratch, float* y, int64_t first, int64_t last,
                  int64_t ahead, const Combine& combine) {
  const Floats high = simd::reduce_vectors(
      y, first, last, simd::broadcast(kLowest),
      [&](int64_t c, auto lanes) { return simd::load(x + c, lanes, kLowest); }, simd::maximum);
  const float largest =
      combine(simd::largest(high), [](float a, float b) { return std::max(a, b); });
  // eˣ as a power of two: what rounding `base` is off by is the same for all and cancels.
  constexpr float kLog2E = 1.44269504f;
  const float base = largest * kLog2E;
  const Floats sums = simd::reduce_vectors(
      y, first, last, Floats{},
      [&](int64_t c, auto lanes) {
        simd::prefetch(x + ahead + c);
        const Floats power = simd::load(x + c, lanes, largest) * kLog2E - base;
        const Floats e = simd::keep(simd::exp2_nonpositive(power), lanes);
        simd::store<Store::kCached>(scratch + c, e, lanes);
        return e;
      },
      [](Floats a, Floats b) { return a + b; });
  const float factor = 1.0f / combine(simd::sum(sums), [](float a, float b) { return a + b; });
  simd::for_vectors(y, first, last, [&](int64_t c, auto lanes) {
    simd::store<how>(y + c, simd::load(scratch + c, lanes) * factor, lanes);
  });
  if (how == Store::kStreaming) simd::store_fence();
}

// Rows wider than this are not kept in a scratch row beside the caches' other contents.
constexpr int64_t kScratchColumns = 128 * 1024;

std::unique_ptr<Launch> bind_own(CpuContext& context, const Call& call, const Arguments& a) {
  const auto [rows, cols] = dims(call);
  const auto* x = static_cast<const float*>(a.inputs[0]);
  auto* y = static_cast<float*>(a.outputs[0]);
  const int64_t bytes = 8 * rows * cols;
  const bool streaming = bytes > streaming_threshold_bytes() && cols <= kScratchColumns;
  auto team = std::make_shared<TeamValue>(context.threads);
  const auto scratch_count = streaming ? static_cast<std::size_t>(cols * context.threads) : 0;
  auto scratch = std::make_shared<std::vector<float>>(scratch_count);
  return make_launch(
      [=, height = rows, width = cols, threads = context.threads] {
        parallel_rows(*team, threads, bytes, height, width,
                      [&](int64_t r, int64_t first, int64_t last, const auto& combine) {
                        const int64_t ahead = r + 1 < height ? width : 0;
                        const float* in = x + r * width;
                        float* out = y + r * width;
                        float* mine = scratch->data() + omp_get_thread_num() * width;
                        if (streaming)
                          softmax_part<Store::kStreaming>(in, mine, out, first, last, ahead,
                                                          combine);
                        else
                          softmax_part<Store::kCached>(in, out, out, first, last, ahead, combine);
                      });
      },
      streaming ? "non-temporal stores" : "");
}

std::unique_ptr<Launch> bind_onednn(CpuContext& context, const Call& call, const Arguments& a) {
  const auto [rows, cols] = dims(call);
  const dnnl::memory::desc layout({rows, cols}, dnnl::memory::data_type::f32,
                                  dnnl::memory::format_tag::ab);
  const auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::softmax_forward::primitive_desc chosen(
      context.engine, inference, dnnl::algorithm::softmax_accurate, layout, layout, 1);
#else
  const dnnl::softmax_forward::primitive_desc chosen({inference, layout, 1}, context.engine);
#endif
  dnnl::memory x(layout, context.engine, const_cast<void*>(a.inputs[0]));
  dnnl::memory y(layout, context.engine, a.outputs[0]);
  return make_launch(
      [primitive = dnnl::softmax_forward(chosen), x, y, stream = context.stream]() mutable {
        primitive.execute(stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
        stream.wait();
      },
      chosen.impl_info_str());
}

CpuImplementation implementation(const char* name, decltype(CpuImplementation::bind) bind) {
  CpuImplementation i;
  i.op = "softmax";
  i.name = name;
  i.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  i.bind = std::move(bind);
  return i;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  return {implementation("ridge", bind_own), implementation("onednn", bind_onednn)};
}

}  // namespace ridge::softmax
