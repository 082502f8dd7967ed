#include "kernels/clock_chain/clock_chain.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"

namespace ridge::clock_chain {
namespace {

uint32_t chain(uint32_t x, int64_t rounds) {
  uint32_t step = static_cast<uint32_t>(kStep);
  // In a register, because some cores add constants for nothing while they rename registers.
  asm volatile("" : "+r"(step));
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 256
    for (int i = 0; i < kAddsPerRound; ++i) {
      x += step;
      asm volatile("" : "+r"(x));  // or the additions would become one multiplication
    }
  }
  return x;
}

std::unique_ptr<Launch> bind(CpuContext& context, const Call& call, const Arguments& a) {
  return make_launch([c = static_cast<const uint32_t*>(a.inputs[0]),
                      y = static_cast<uint32_t*>(a.outputs[0]), d = dims(call),
                      threads = context.threads] {
    // Always worth all threads.
    parallel_ranges(threads, kSerialBytes, d.parts, 1, [=](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p) y[p] = chain(c[p], d.rounds);
    });
  });
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation adds;
  adds.op = "clock_chain";
  adds.name = "ridge";
  adds.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  adds.bind = bind;
  return {adds};
}

}  // namespace ridge::clock_chain
