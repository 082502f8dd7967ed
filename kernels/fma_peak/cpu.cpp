#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/fma_peak/cpu_loops.h"
#include "kernels/fma_peak/cpu_mma.h"
#include "kernels/fma_peak/fma_peak.h"

#if !defined(__x86_64__)
#define RIDGE_VECTOR_BYTES 16
#define RIDGE_VECTORS 16
#include "kernels/fma_peak/cpu_chains.h"
#endif

namespace ridge::fma_peak {
namespace {

// Always worth all threads.
constexpr int64_t kLongBytes = kSerialBytes;

using FindLoop = ChainLoop (*)(bool f64, int64_t ilp);

std::unique_ptr<Launch> bind_fma(ChainLoop loop, int64_t group, const CpuContext& context,
                                 const Call& call, const Arguments& a) {
  return make_launch([=, in = static_cast<const char*>(a.inputs[0]),
                      out = static_cast<char*>(a.outputs[0]), d = chain_dims(call),
                      size = static_cast<int64_t>(bytes_per_element(call.dtype)),
                      threads = context.threads] {
    parallel_ranges(threads, kLongBytes, d.chains, group, [=](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; i += group)
        loop(in + i * size, out + i * size, std::min(group, last - i), d.rounds);
    });
  });
}

CpuImplementation chains(const char* name, bool available, FindLoop find) {
  CpuImplementation all;
  all.op = "fma_peak";
  all.name = name;
  all.unsupported = [=](const CpuContext&, const Call& c) -> std::string {
    if (!available) return "this CPU lacks it";
    if (c.dtype != Dtype::kF32 && c.dtype != Dtype::kF64) return "only f32 and f64";
    const int64_t ilp = chain_dims(c).ilp;
    if (find(false, ilp)) return "";
    return "ilp=" + std::to_string(ilp) + " does not fit into its registers";
  };
  all.bind = [=](CpuContext& context, const Call& c, const Arguments& a) {
    const int64_t ilp = chain_dims(c).ilp;
    return bind_fma(find(c.dtype == Dtype::kF64, ilp), chains_for(name, c.dtype, ilp, 1), context,
                    c, a);
  };
  return all;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  // The widest first: it is preferred.
#if defined(__x86_64__)
  return {
      chains("avx512", __builtin_cpu_supports("avx512f"), avx512_loop),
      chains("avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx2_loop),
      chains("sse2", true, sse2_loop), mma_implementation()};
#else
  return {chains("vector128", true, choose), mma_implementation()};
#endif
}

}  // namespace ridge::fma_peak
