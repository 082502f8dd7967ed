#include <cmath>
#include <memory>

#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/norm/norm.h"

namespace ridge::norm {
namespace {

using simd::Floats;
using simd::Store;

enum class Norm { kRms, kAddRms, kLayer };

struct Tensors {
  const float *x, *residual, *w, *bias;
  float *y, *sum;
  int64_t rows, cols;
  float epsilon;
};

// The value that is normalised.
template <Norm norm, class Lanes>
Floats value(const float* x, const float* residual, int64_t c, Lanes lanes) {
  const Floats v = simd::load(x + c, lanes);
  return norm == Norm::kAddRms ? v + simd::load(residual + c, lanes) : v;
}

constexpr auto kAdd = [](float a, float b) { return a + b; };
constexpr auto kAddVectors = [](Floats a, Floats b) { return a + b; };

// Columns [first, last) of one row. The row is read from memory once: the second pass finds it in
// the cache, and asks for the next row meanwhile.
template <Norm norm, Store how, class Combine>
void normalise(const Tensors& t, int64_t row, int64_t first, int64_t last, const Combine& combine) {
  const int64_t at = row * t.cols;
  const float *x = t.x + at, *residual = norm == Norm::kAddRms ? t.residual + at : nullptr;
  float *y = t.y + at, *sum = norm == Norm::kAddRms ? t.sum + at : nullptr;
  const auto cols = static_cast<float>(t.cols);

  float mean = 0;
  if constexpr (norm == Norm::kLayer) {
    const Floats total = simd::reduce_vectors(
        y, first, last, Floats{}, [&](int64_t c, auto lanes) { return simd::load(x + c, lanes); },
        kAddVectors);
    mean = combine(simd::sum(total), kAdd) / cols;
  }
  const Floats squares = simd::reduce_vectors(
      y, first, last, Floats{},
      [&](int64_t c, auto lanes) {
        Floats v = value<norm>(x, residual, c, lanes);
        if constexpr (norm == Norm::kLayer) v = simd::keep(v - mean, lanes);
        return v * v;
      },
      kAddVectors);
  const float mean_square = combine(simd::sum(squares), kAdd) / cols;
  const float factor = 1.0f / std::sqrt(mean_square + t.epsilon);

  const int64_t ahead = row + 1 < t.rows ? t.cols : 0;
  simd::for_vectors(y, first, last, [&](int64_t c, auto lanes) {
    simd::prefetch(x + ahead + c);
    if constexpr (norm == Norm::kAddRms) simd::prefetch(residual + ahead + c);
    const Floats v = value<norm>(x, residual, c, lanes);
    Floats scaled = (v - mean) * factor * simd::load(t.w + c, lanes);
    if constexpr (norm == Norm::kLayer) scaled += simd::load(t.bias + c, lanes);
    if constexpr (norm == Norm::kAddRms) simd::store<how>(sum + c, v, lanes);
    simd::store<how>(y + c, scaled, lanes);
  });
  if (how == Store::kStreaming) simd::store_fence();
}

template <Norm norm>
std::unique_ptr<Launch> bind(CpuContext& context, const Tensors& t) {
  const int64_t bytes = 4 * t.rows * t.cols * (norm == Norm::kAddRms ? 4 : 2);
  const bool streaming = bytes > streaming_threshold_bytes();
  auto team = std::make_shared<TeamValue>(context.threads);
  const auto part = [](auto how) {
    return [how](const Tensors& tensors, int64_t row, int64_t first, int64_t last,
                 const auto& combine) {
      normalise<norm, decltype(how)::value>(tensors, row, first, last, combine);
    };
  };
  const auto run = [=, threads = context.threads](const auto& f) {
    parallel_rows(*team, threads, bytes, t.rows, t.cols,
                  [&](int64_t row, int64_t first, int64_t last, const auto& combine) {
                    f(t, row, first, last, combine);
                  });
  };
  if (streaming)
    return make_launch([=] { run(part(std::integral_constant<Store, Store::kStreaming>{})); },
                       "non-temporal stores");
  return make_launch([=] { run(part(std::integral_constant<Store, Store::kCached>{})); });
}

const float* input(const Arguments& a, std::size_t i) {
  return static_cast<const float*>(a.inputs[i]);
}
float* output(const Arguments& a, std::size_t i) { return static_cast<float*>(a.outputs[i]); }
float epsilon(const Arguments& a) { return static_cast<float>(a.epsilon); }

CpuImplementation implementation(const char* op, decltype(CpuImplementation::bind) bind_call) {
  CpuImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = std::move(bind_call);
  return own;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  return {
      implementation("rmsnorm",
                     [](CpuContext& context, const Call& c, const Arguments& a) {
                       const auto [rows, cols] = dims(c);
                       return bind<Norm::kRms>(context, {.x = input(a, 0),
                                                         .w = input(a, 1),
                                                         .y = output(a, 0),
                                                         .rows = rows,
                                                         .cols = cols,
                                                         .epsilon = epsilon(a)});
                     }),
      implementation("add_rmsnorm",
                     [](CpuContext& context, const Call& c, const Arguments& a) {
                       const auto [rows, cols] = dims(c);
                       return bind<Norm::kAddRms>(context, {.x = input(a, 0),
                                                            .residual = input(a, 1),
                                                            .w = input(a, 2),
                                                            .y = output(a, 0),
                                                            .sum = output(a, 1),
                                                            .rows = rows,
                                                            .cols = cols,
                                                            .epsilon = epsilon(a)});
                     }),
      implementation("layernorm",
                     [](CpuContext& context, const Call& c, const Arguments& a) {
                       const auto [rows, cols] = dims(c);
                       return bind<Norm::kLayer>(context, {.x = input(a, 0),
                                                           .w = input(a, 1),
                                                           .bias = input(a, 2),
                                                           .y = output(a, 0),
                                                           .rows = rows,
                                                           .cols = cols,
                                                           .epsilon = epsilon(a)});
                     }),
  };
}

}  // namespace ridge::norm
