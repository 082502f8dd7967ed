#pragma once
#include <algorithm>

#include "kernels/core/call.h"

namespace ridge::memory_stream {

// Probes of bandwidth, over dims {count, parts, passes, shift}: `count` f32 elements are cut into
// `parts` contiguous units of work (see Parts), and each unit goes `passes` times over one part.
// In pass i unit p is on part (p + i · shift) mod parts: with shift 0 it stays on its own, which
// the caches beside it then serve; with another the parts wander, so that only what all units share
// can serve them.
//   stream_read    y[p] = sum over the passes of the sum of x over the part that unit p is on
//   stream_write   y[i] = pattern[i mod kPattern]
//   stream_copy    y = x
//   stream_scale   y = s · x, s a tensor of one element
//   stream_triad   y = b + s · c
// Work is what one pass moves, times the passes. A unit is a block on a GPU. On a CPU threads share
// the parts out in contiguous ranges; one thread or one part of at least 64 bytes each is enough.
//
// stream_shared, dims {parts, passes}: shared memory, on GPUs only. Unit p copies kSharedElements
// elements of x into it once and reads all of them `passes` times:
//   y[p] = passes · sum of x[p]; Work counts what is read from shared memory.
constexpr int64_t kChunk = 16384;  // elements of a part that streams from DRAM at full speed
constexpr int64_t kPattern = 64;
constexpr int64_t kGrain = 64;  // parts begin at multiples of it: 256 bytes
constexpr int64_t kSharedElements = 8192;

struct Dims {
  int64_t count, parts, passes, shift;
};
inline Dims dims(const Call& c) { return {c.dims[0], c.dims[1], c.dims[2], c.dims[3]}; }

// How many parts of about kChunk elements there are: what a single pass over DRAM takes.
inline int64_t chunks(int64_t count) { return (count + kChunk - 1) / kChunk; }

// Where the parts are: whole grains, as evenly as can be, the larger parts first. There may be more
// parts than grains; the last ones are empty then.
struct Parts {
  constexpr Parts(int64_t elements, int64_t n)
      : count(elements),
        grains((elements + kGrain - 1) / kGrain / n),
        larger((elements + kGrain - 1) / kGrain % n) {}
  constexpr int64_t first(int64_t p) const {
    const int64_t at = (p * grains + (p < larger ? p : larger)) * kGrain;
    return at < count ? at : count;
  }
  constexpr int64_t last(int64_t p) const { return first(p + 1); }

  int64_t count, grains, larger;
};

}  // namespace ridge::memory_stream
