#pragma once
#include "kernels/core/call.h"

namespace ridge::memory_stream {

// Probes of memory bandwidth over `count` f32 elements:
//   stream_read    y[p] = sum of x over its p-th chunk of kChunk elements (the last may be short)
//   stream_write   y[i] = pattern[i mod kPattern]
//   stream_copy    y = x
//   stream_triad   y = b + s · c, s a tensor of one element
constexpr int64_t kChunk = 16384;
constexpr int64_t kPattern = 64;

inline int64_t count(const Call& call) { return call.dims[0]; }
inline int64_t chunks(int64_t count) { return (count + kChunk - 1) / kChunk; }

}  // namespace ridge::memory_stream
