#pragma once
#include "kernels/core/call.h"

namespace ridge::pointer_chase {

// Probe of latency, over dims {span_bytes, stride_bytes, steps}, in int32: one thread follows a
// random tour through a table of span_bytes. Each place on the tour is in a line of its own, one in
// each whole run of stride_bytes, and holds the next one; the tour begins and ends at place 0.
//   y[0] = the place after `steps` steps
// The time of a step is the latency of a load from what holds the span, and what finding the
// address costs. A stride of a line shows the levels of cache, one of a page or more (4 KiB, on a
// GPU 2 MiB) what a translation lookaside buffer reaches.
//
// A launch begins at place 0 again. For the latency of a cache, launch on the same operands again
// and again, with steps for many tours; for that of memory, with steps for at least one: a few
// first places of a long tour would be in a cache when the next launch comes to them.
struct Dims {
  int64_t span_bytes, stride_bytes, steps;
};
inline Dims dims(const Call& c) { return {c.dims[0], c.dims[1], c.dims[2]}; }

inline int64_t places(const Dims& d) { return d.span_bytes / d.stride_bytes; }

}  // namespace ridge::pointer_chase
