#pragma once
#include "kernels/core/call.h"

namespace ridge::argmax {

// index[rows] int32 = the column of the largest of x[rows, cols], the lowest such column where
// several are equal. +0 equals −0; NaN is not expected.
struct Dims {
  int64_t rows, cols;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

// Whether (value, index) beats the best so far.
template <class Index>
constexpr bool better(float value, Index index, float best, Index best_index) {
  return value > best || (value == best && index < best_index);
}

}  // namespace ridge::argmax
