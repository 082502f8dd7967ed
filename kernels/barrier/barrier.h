#pragma once
#include "kernels/core/call.h"

namespace ridge::barrier {

// Probe of what it costs to make all units wait for each other, over dims {parts, rounds}:
//   v = x[parts]; in each round v[p] ← v[(p + 1) mod parts] + 1; y = v after `rounds`
// with a barrier between each two rounds, `rounds` - 1 in all. On a CPU min(parts, threads) threads
// share the parts out; on a GPU part p is block p of kThreads threads, all of which must fit on the
// device at once. A round's time is the barrier and one exchange between neighbours through what
// they share.
constexpr int kThreads = 256;

struct Dims {
  int64_t parts, rounds;
};
inline Dims dims(const Call& c) { return {c.dims[0], c.dims[1]}; }

// Values of different parts lie apart in the scratch memory, so that no two parts share a line.
constexpr int64_t kApart = 32;  // elements
inline int64_t scratch_elements(int64_t parts) { return 2 * parts * kApart; }

}  // namespace ridge::barrier
