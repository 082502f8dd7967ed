#pragma once
#include <cmath>

#include "kernels/core/call.h"

namespace ridge::embedding {

// out[rows, cols] = table[ids[row], cols]: the first layer of an LLM, ids[rows] int32 in
// [0, vocab).
struct Dims {
  int64_t rows, cols, vocab;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1], call.dims[2]}; }

// How many different rows of a table of `all` the `drawn` uniformly random indices are expected to
// hit: all · (1 − (1 − 1/all)^drawn). What is read twice is compulsory once.
inline double expected_distinct(int64_t drawn, int64_t all) {
  const double n = static_cast<double>(all);
  return -n * std::expm1(static_cast<double>(drawn) * std::log1p(-1 / n));
}

}  // namespace ridge::embedding
