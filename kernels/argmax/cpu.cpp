#include <algorithm>
#include <limits>

#include "kernels/argmax/argmax.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/simd.h"

namespace ridge::argmax {
namespace {

constexpr int64_t kBlock = 2048;      // columns whose maximum is taken at once; stays in L1
constexpr int64_t kPart = 8192;       // fewest columns worth a task of their own
constexpr int64_t kParallel = 32768;  // elements below which a parallel region does not pay

struct Best {
  float value = -std::numeric_limits<float>::infinity();
  int64_t index = 0;
};

// Four vectors at once: a single one would wait for its own comparison.
float maximum(const float* x, int64_t count) {
  constexpr int kChains = 4;
  const float none = -std::numeric_limits<float>::infinity();
  simd::Floats m[kChains];
  for (auto& v : m) v = simd::broadcast(none);
  int64_t c = 0;
  for (; c + kChains * simd::kLanes <= count; c += kChains * simd::kLanes)
    for (int i = 0; i < kChains; ++i)
      m[i] = simd::maximum(m[i], simd::load(x + c + i * simd::kLanes));
  float largest =
      simd::largest(simd::maximum(simd::maximum(m[0], m[1]), simd::maximum(m[2], m[3])));
  for (; c < count; ++c) largest = std::max(largest, x[c]);
  return largest;
}

// The maximum of each block is a vector reduction; only a block that beats the best so far is
// looked at again to find where.
Best scan(const float* x, int64_t first, int64_t last) {
  Best best{.index = first};
  for (int64_t b = first; b < last; b += kBlock) {
    const float largest = maximum(x + b, std::min(kBlock, last - b));
    if (largest <= best.value) continue;
    best.value = largest;
    for (best.index = b; x[best.index] != largest; ++best.index) {
    }
  }
  return best;
}

class Argmax {
 public:
  Argmax(const float* x, int32_t* out, Dims d, int threads) : x_(x), out_(out), d_(d) {
    // Few long rows are cut so that every thread has work.
    const int64_t wanted = d.rows >= 4 * threads ? 1 : 4 * threads / d.rows;
    parts_ = std::clamp<int64_t>(d.cols / kPart, 1, wanted);
    step_ = (d.cols + parts_ - 1) / parts_;
    partial_.resize(static_cast<std::size_t>(d.rows * parts_));
  }

  void operator()() {
    const int64_t tasks = d_.rows * parts_;
#pragma omp parallel for schedule(static) if (d_.rows * d_.cols > kParallel)
    for (int64_t t = 0; t < tasks; ++t) {
      const int64_t first = t % parts_ * step_;
      partial_[static_cast<std::size_t>(t)] =
          scan(x_ + t / parts_ * d_.cols, first, std::min(first + step_, d_.cols));
    }
    for (int64_t r = 0; r < d_.rows; ++r) {
      const Best* p = partial_.data() + r * parts_;
      // The first of equals: parts are in the order of the columns.
      const Best* best = std::max_element(
          p, p + parts_, [](const Best& a, const Best& b) { return a.value < b.value; });
      out_[r] = static_cast<int32_t>(best->index);
    }
  }

 private:
  const float* x_;
  int32_t* out_;
  Dims d_;
  int64_t parts_ = 1, step_ = 1;
  std::vector<Best> partial_;
};

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "argmax";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    return make_launch(Argmax(static_cast<const float*>(a.inputs[0]),
                              static_cast<int32_t*>(a.outputs[0]), dims(c), context.threads));
  };
  return {own};
}

}  // namespace ridge::argmax
