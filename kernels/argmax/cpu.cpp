#include <algorithm>
#include <limits>

#include "kernels/argmax/argmax.h"
#include "kernels/cpu/context.h"

namespace ridge::argmax {
namespace {

constexpr int64_t kBlock = 2048;      // columns whose maximum is taken at once; stays in L1
constexpr int64_t kPart = 8192;       // fewest columns worth a task of their own
constexpr int64_t kParallel = 32768;  // elements below which a parallel region does not pay

struct Best {
  float value = -std::numeric_limits<float>::infinity();
  int64_t index = 0;
};

// The maximum of each block is a vector reduction; only a block that beats the best so far is
// looked at again to find where.
Best scan(const float* x, int64_t first, int64_t last) {
  Best best{.index = first};
  for (int64_t b = first; b < last; b += kBlock) {
    const int64_t end = std::min(b + kBlock, last);
    float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
    for (int64_t c = b; c < end; ++c) largest = x[c] > largest ? x[c] : largest;
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
