#include <functional>

#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/elementwise/elementwise.h"

namespace ridge::elementwise {
namespace {

using simd::Floats;
using simd::kLanes;

struct Add {
  static constexpr int kInputs = 2;
  Floats operator()(Floats a, Floats b) const { return a + b; }
};
struct Mul {
  static constexpr int kInputs = 2;
  Floats operator()(Floats a, Floats b) const { return a * b; }
};
struct Silu {
  static constexpr int kInputs = 1;
  Floats operator()(Floats x, Floats) const { return x * simd::reciprocal(1.0f + simd::exp(-x)); }
};
struct Gelu {
  static constexpr int kInputs = 1;
  Floats operator()(Floats x, Floats) const {
    return 0.5f * x * (1.0f + simd::erf(x * 0.707106781f));
  }
};
struct Copy {
  static constexpr int kInputs = 1;
  Floats operator()(Floats x, Floats) const { return x; }
};
struct SiluMul {
  static constexpr int kInputs = 2;
  Floats operator()(Floats gate, Floats up) const { return Silu{}(gate, up) * up; }
};

template <class F>
void map_tail(const float* a, const float* b, float* y, int64_t count) {
  Floats va{}, vb{}, vy;
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  std::memcpy(&va, a, bytes);
  if (F::kInputs == 2) std::memcpy(&vb, b, bytes);
  vy = F{}(va, vb);
  std::memcpy(y, &vy, bytes);
}

template <class F, bool kStreaming>
void map_vectors(const float* a, const float* b, float* y, int64_t count) {
  // Arithmetic as long as an exponential's leaves the core too few loads in flight to keep the
  // memory busy; asking ahead does.
  constexpr int64_t kAhead = 1024;
  for (int64_t i = 0; i < count; i += kLanes) {
    simd::prefetch(a + i + kAhead);
    if (F::kInputs == 2) simd::prefetch(b + i + kAhead);
    const Floats v = F{}(simd::load(a + i), F::kInputs == 2 ? simd::load(b + i) : Floats{});
    if (kStreaming)
      simd::store_streaming(y + i, v);
    else
      simd::store(y + i, v);
  }
}

// `count` contiguous elements; b is read only where F has two inputs.
template <class F>
void map(const float* a, const float* b, float* y, int64_t count, bool streaming) {
  if (streaming) {
    const auto misaligned = static_cast<int64_t>(reinterpret_cast<uintptr_t>(y) / 4 % kLanes);
    const int64_t head = std::min(count, (kLanes - misaligned) % kLanes);
    if (head > 0) map_tail<F>(a, b, y, head);
    a += head, b += F::kInputs == 2 ? head : 0, y += head, count -= head;
  }
  const int64_t whole = count / kLanes * kLanes;
  if (streaming)
    map_vectors<F, true>(a, b, y, whole);
  else
    map_vectors<F, false>(a, b, y, whole);
  if (whole < count)
    map_tail<F>(a + whole, F::kInputs == 2 ? b + whole : b, y + whole, count - whole);
}

template <class F>
std::unique_ptr<Launch> bind_flat(CpuContext& context, const Call& c, const Arguments& arguments) {
  const auto [rows, cols] = dims(c);
  const auto* a = static_cast<const float*>(arguments.inputs.front());
  const auto* b = static_cast<const float*>(arguments.inputs.back());
  auto* y = static_cast<float*>(arguments.outputs[0]);
  const int64_t count = rows * cols;
  const int64_t bytes = 4 * count * (F::kInputs + 1);
  const bool streaming = bytes > streaming_threshold_bytes();
  return make_launch(
      [=, threads = context.threads] {
        parallel_ranges(threads, bytes, count, 1024, [=](int64_t first, int64_t last) {
          map<F>(a + first, b + first, y + first, last - first, streaming);
          if (streaming) simd::store_fence();
        });
      },
      streaming ? "non-temporal stores" : "");
}

std::unique_ptr<Launch> bind_silu_mul(CpuContext& context, const Call& c, const Arguments& a) {
  const auto [rows, cols] = dims(c);
  const auto* x = static_cast<const float*>(a.inputs[0]);
  auto* y = static_cast<float*>(a.outputs[0]);
  const int64_t bytes = 12 * rows * cols;
  const bool streaming = bytes > streaming_threshold_bytes();
  return make_launch(
      [=, width = cols, count = rows * cols, threads = context.threads] {
        // Cut in elements, not rows, so that few long rows are shared too.
        parallel_ranges(threads, bytes, count, 1024, [=](int64_t first, int64_t last) {
          while (first < last) {
            const int64_t row = first / width, column = first % width;
            const int64_t n = std::min(last - first, width - column);
            const float* gate = x + row * 2 * width + column;
            map<SiluMul>(gate, gate + width, y + first, n, streaming);
            first += n;
          }
          if (streaming) simd::store_fence();
        });
      },
      streaming ? "non-temporal stores" : "");
}

CpuImplementation implementation(const char* op, decltype(CpuImplementation::bind) bind) {
  CpuImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = std::move(bind);
  return own;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  return {implementation("add", bind_flat<Add>),   implementation("mul", bind_flat<Mul>),
          implementation("silu", bind_flat<Silu>), implementation("gelu", bind_flat<Gelu>),
          implementation("copy", bind_flat<Copy>), implementation("silu_mul", bind_silu_mul)};
}

}  // namespace ridge::elementwise
