#define RIDGE_VECTOR_BYTES 64
#define RIDGE_VECTORS 29
#include "kernels/fma_peak/cpu_chains.h"

namespace ridge::fma_peak {

ChainLoop avx512_loop(bool f64, int64_t ilp) { return choose(f64, ilp); }

}  // namespace ridge::fma_peak
