#include <memory>

#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/quantise/quantise.h"

namespace ridge::quantise {
namespace {

using simd::Floats;
using simd::Ints;
using simd::Store;

typedef int8_t Bytes __attribute__((vector_size(simd::kLanes)));

// The nearest integers of values within ± 2²², ties to even: a float of 1.5 · 2²³ has a unit in the
// last place of 1, so that the sum's lowest byte is the integer's.
Bytes rounded(Floats scaled) {
  constexpr float kUnitSteps = 12582912.0f;
  return __builtin_convertvector(std::bit_cast<Ints>(scaled + kUnitSteps), Bytes);
}

void store(int8_t* p, Bytes v, simd::All) { std::memcpy(p, &v, sizeof v); }
void store(int8_t* p, Bytes v, simd::Some some) {
  std::memcpy(p, &v, static_cast<std::size_t>(some.lanes));
}

struct Rows {
  const float* x;
  int8_t* q;
  float* scale;
  int64_t rows, cols;
};

// Columns [first, last) of one row, as the norms go over it: the second pass finds it in the cache
// and asks for the next row. What is written is left in the cache, where the product reads it.
template <class Combine>
void quantise(const Rows& t, int64_t row, int64_t first, int64_t last, const Combine& combine) {
  const float* x = t.x + row * t.cols;
  int8_t* q = t.q + row * t.cols;
  const Floats most = simd::reduce_vectors(
      x, first, last, Floats{},
      [&](int64_t c, auto lanes) { return simd::absolute(simd::load(x + c, lanes)); },
      [](Floats a, Floats b) { return simd::maximum(a, b); });
  const float largest =
      combine(simd::largest(most), [](float a, float b) { return std::max(a, b); });
  const bool any = largest > kNothing;
  if (first == 0) t.scale[row] = any ? largest / kSteps : 0;
  const float inverse = any ? kSteps / largest : 0;
  const int64_t ahead = row + 1 < t.rows ? t.cols : 0;
  simd::for_vectors(x, first, last, [&](int64_t c, auto lanes) {
    simd::prefetch(x + ahead + c);
    store(q + c, rounded(simd::load(x + c, lanes) * inverse), lanes);
  });
}

std::unique_ptr<Launch> bind_quantise_rows(CpuContext& context, const Call& c, const Arguments& a) {
  const auto [rows, cols] = dims(c);
  const Rows t{.x = static_cast<const float*>(a.inputs[0]),
               .q = static_cast<int8_t*>(a.outputs[0]),
               .scale = static_cast<float*>(a.outputs[1]),
               .rows = rows,
               .cols = cols};
  auto team = std::make_shared<TeamValue>(context.threads);
  return make_launch([=, threads = context.threads] {
    parallel_rows(*team, threads, 5 * t.rows * t.cols, t.rows, t.cols,
                  [&](int64_t row, int64_t first, int64_t last, const auto& combine) {
                    quantise(t, row, first, last, combine);
                  });
  });
}

struct Sums {
  const int32_t* acc;
  const float *row_scale, *column_scale, *bias;
  float* y;
  int64_t cols;
};

template <class Lanes>
Floats load_integers(const int32_t* p, Lanes lanes) {
  const Floats bits = simd::load(reinterpret_cast<const float*>(p), lanes);  // copied, not read
  return __builtin_convertvector(std::bit_cast<Ints>(bits), Floats);
}

// Columns [first, last) of one row.
template <Store how, bool kBias>
void dequantise(const Sums& t, int64_t row, int64_t first, int64_t last) {
  const int32_t* acc = t.acc + row * t.cols;
  float* y = t.y + row * t.cols;
  const float scale = t.row_scale[row];
  simd::for_vectors(y, first, last, [&](int64_t c, auto lanes) {
    Floats v = load_integers(acc + c, lanes) * scale * simd::load(t.column_scale + c, lanes);
    if constexpr (kBias) v += simd::load(t.bias + c, lanes);
    simd::store<how>(y + c, v, lanes);
  });
}

template <Store how, bool kBias>
std::unique_ptr<Launch> launch_dequantise(int threads, int64_t rows, const Sums& t) {
  return make_launch(
      [=] {
        // Cut in elements, not rows, so that few long rows are shared too.
        parallel_ranges(threads, 8 * rows * t.cols, rows * t.cols, 1024,
                        [&](int64_t first, int64_t last) {
                          while (first < last) {
                            const int64_t row = first / t.cols, column = first % t.cols;
                            const int64_t n = std::min(last - first, t.cols - column);
                            dequantise<how, kBias>(t, row, column, column + n);
                            first += n;
                          }
                          if (how == Store::kStreaming) simd::store_fence();
                        });
      },
      how == Store::kStreaming ? "non-temporal stores" : "");
}

std::unique_ptr<Launch> bind_dequantise(CpuContext& context, const Call& c, const Arguments& a) {
  const auto [rows, cols] = dims(c);
  const Sums t{.acc = static_cast<const int32_t*>(a.inputs[0]),
               .row_scale = static_cast<const float*>(a.inputs[1]),
               .column_scale = static_cast<const float*>(a.inputs[2]),
               .bias = static_cast<const float*>(a.bias),
               .y = static_cast<float*>(a.outputs[0]),
               .cols = cols};
  const int threads = context.threads;
  if (8 * rows * cols > streaming_threshold_bytes())
    return t.bias ? launch_dequantise<Store::kStreaming, true>(threads, rows, t)
                  : launch_dequantise<Store::kStreaming, false>(threads, rows, t);
  return t.bias ? launch_dequantise<Store::kCached, true>(threads, rows, t)
                : launch_dequantise<Store::kCached, false>(threads, rows, t);
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
  return {implementation("quantise_rows", bind_quantise_rows),
          implementation("dequantise", bind_dequantise)};
}

}  // namespace ridge::quantise
