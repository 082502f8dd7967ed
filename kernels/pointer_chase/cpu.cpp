#include "kernels/cpu/context.h"
#include "kernels/pointer_chase/pointer_chase.h"

namespace ridge::pointer_chase {
namespace {

uint32_t follow(const uint32_t* table, int64_t steps) {
  constexpr int kUnroll = 16;
  uint64_t at = 0;  // wide and without a sign, so that a load's result is the next one's index
  for (; steps >= kUnroll; steps -= kUnroll) {
#pragma GCC unroll 16
    for (int i = 0; i < kUnroll; ++i) at = table[at];
  }
  for (; steps > 0; --steps) at = table[at];
  return static_cast<uint32_t>(at);
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  CpuImplementation own;
  own.op = "pointer_chase";
  own.name = "ridge";
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = [](CpuContext&, const Call& c, const Arguments& a) {
    return make_launch([steps = dims(c).steps, table = static_cast<const uint32_t*>(a.inputs[0]),
                        y = static_cast<uint32_t*>(a.outputs[0])] { *y = follow(table, steps); });
  };
  return {own};
}

}  // namespace ridge::pointer_chase
