#include <omp.h>

#include "kernels/barrier/barrier.h"
#include "kernels/cpu/context.h"

namespace ridge::barrier {
namespace {

// Rounds for the parts [first, last), between whose threads `wait` waits. Values of odd rounds are
// in the first half of the scratch memory, those of even ones in the second; x and y are used only
// at the ends.
template <class Wait>
void pass_on(const Dims& d, const float* x, float* scratch, float* y, int64_t first, int64_t last,
             const Wait& wait) {
  for (int64_t round = 1; round <= d.rounds; ++round) {
    const float* from = scratch + round % 2 * d.parts * kApart;
    float* to = scratch + (round + 1) % 2 * d.parts * kApart;
    for (int64_t p = first; p < last; ++p) {
      const int64_t next = p + 1 < d.parts ? p + 1 : 0;
      const float v = (round == 1 ? x[next] : from[next * kApart]) + 1;
      (round == d.rounds ? y[p] : to[p * kApart]) = v;
    }
    if (round < d.rounds) wait();
  }
}

void run(int threads, const Dims& d, const float* x, float* scratch, float* y) {
  const int team = static_cast<int>(std::min<int64_t>(threads, d.parts));
#pragma omp parallel num_threads(team)
  {
    const int64_t t = omp_get_thread_num(), n = omp_get_num_threads();
    pass_on(d, x, scratch, y, d.parts * t / n, d.parts * (t + 1) / n, [n] {
      if (n == 1) return;  // nobody to wait for, where OpenMP would ask the system to wake others
#pragma omp barrier
    });
  }
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "barrier";
  own.name = "openmp";
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = [](CpuContext& context, const Call& c, const Arguments& a) {
    const Dims d = dims(c);
    return make_launch([d, threads = context.threads, x = static_cast<const float*>(a.inputs[0]),
                        y = static_cast<float*>(a.outputs[0]),
                        scratch = std::vector<float>(static_cast<std::size_t>(scratch_elements(
                            d.parts)))]() mutable { run(threads, d, x, scratch.data(), y); });
  };
  return {own};
}

}  // namespace ridge::barrier
