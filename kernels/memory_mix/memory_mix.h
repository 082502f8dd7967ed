#pragma once
#include <algorithm>

#include "kernels/core/call.h"

namespace ridge::memory_mix {

// Probe of the cost of turning memory around between reads and writes, over dims
// {count, reads, writes, burst}: about `count` f32 elements are moved in groups. Group g reads
// `reads` bursts of x and writes `writes` bursts of y, each of `burst` elements, in turns: a read,
// a write, and so on while both are left, then what is left (2:1 is R W R, 1:3 is R W W W).
//   z[g] = sum of what group g read; y[i] = pattern[i mod kPattern]
// x and z exist where something is read, y and the pattern where something is written.
// Groups follow one another in x and in y. A thread of a CPU takes neighbouring groups one after
// another; on a GPU, where a warp or, for long bursts, a block does one at a time, neighbours are
// worked on at the same time. Take several groups a thread, or a block, to keep all of them busy.
constexpr int64_t kPattern = 64;

struct Dims {
  int64_t count, reads, writes, burst;
  constexpr int64_t group() const { return (reads + writes) * burst; }  // elements
  constexpr int64_t groups() const { return std::max<int64_t>(count / group(), 1); }
};
inline Dims dims(const Call& c) { return {c.dims[0], c.dims[1], c.dims[2], c.dims[3]}; }

}  // namespace ridge::memory_mix
