#pragma once
#include <nvtx3/nvToolsExt.h>

#include <string>

// Ranges on the timeline of Nsight Systems. Header-only: without a profiler attached each call is a
// test of one pointer.
namespace ridge::cuda {

inline void push_range(const std::string& name) { (void)nvtxRangePushA(name.c_str()); }
inline void pop_range() { (void)nvtxRangePop(); }

struct Range {
  explicit Range(const std::string& name) { push_range(name); }
  ~Range() { pop_range(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace ridge::cuda
