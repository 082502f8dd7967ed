#pragma once
#include "kernels/core/call.h"

namespace ridge::clock_chain {

// clock_chain {parts, rounds}: the clock of CPU cores under load, by what every core since the
// 1990s does in one cycle: an addition of two registers that needs the one before. Each part starts
// at x = c and repeats x ← x + kStep; a round is kAddsPerRound of these. y[part] = x modulo 2^32.
//   Work counts one operation an addition, so with parts ≤ threads, each on a core of its own,
//   work.flops / time / parts is the clock in Hz. Under it lie waits for other threads, so rounds
//   must last far longer than starting a team (microseconds): 4096 are 0.2 to 0.5 ms.
//   No GPU has it: there an addition takes several cycles, and the driver tells the clock.
constexpr int kAddsPerRound = 256;
constexpr int32_t kStep = 0x01234567;

struct Dims {
  int64_t parts, rounds;
};
inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

}  // namespace ridge::clock_chain
