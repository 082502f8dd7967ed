#pragma once
#include <cstdint>

// The chains of one worker on a CPU, once for each instruction set. Their sources are compiled with
// options of their own: they use nothing that the linker could take for the rest of the program (no
// inline functions, no templates outside anonymous namespaces).
namespace ridge::fma_peak {

// Runs `chains` ≤ ilp · lanes chains from c to y; the lanes beyond work all the same.
using ChainLoop = void (*)(const void* c, void* y, int64_t chains, int64_t rounds);

// Null where `ilp` vectors and three constants do not fit into the registers.
ChainLoop avx512_loop(bool f64, int64_t ilp);
ChainLoop avx2_loop(bool f64, int64_t ilp);
ChainLoop sse2_loop(bool f64, int64_t ilp);

}  // namespace ridge::fma_peak
